"""The first round of an office: who does what, in the words of the screens."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import openpyxl
import pyotp

from tests.trial.person import Person
from tests.trial.stopwatch import Lap, Stopwatch

PHRASE = "a phrase that is long enough"
DICE = "".join(str((n * n * 7 + n * 3 + n // 5) % 6 + 1) for n in range(50))
FAMILY = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章"
DISCIPLINES = ("土地", "规划", "矿产", "农业", "经济", "法律", "测绘")
SOURCES = ("部属单位", "高等院校", "科研院所", "企业")
PLACES = ("北京市", "湖北省", "江苏省", "四川省")
COUNTIES = ("源汇区", "郾城区", "召陵区", "舞阳县", "临颍县")
ZONE = "试验开发区"
PLACED = (*COUNTIES, ZONE)
EXPERTS = 7
ACT = "漯试〔2026〕1号"
NAME = "试验届"


def fill_template(template: Path, path: Path, people: int = 40) -> Path:
    """The product's own template with so many plainly invented experts, all as an office has them."""
    book = openpyxl.load_workbook(template)
    sheet: Any = book.active
    heads = [str(cell.value).rstrip("*") for cell in sheet[1]]
    sheet.delete_rows(2, sheet.max_row)
    for n in range(people):
        row = {
            "姓名": f"{FAMILY[n]}试{'甲乙丙丁戊己庚辛壬癸'[n % 10]}",
            "工作单位": f"试验{('研究院', '大学', '勘测院', '公司')[n % 4]}{n // 4 + 1}",
            "职务": "研究员", "现岗起始": "2018-03-01", "职称": "研究员", "职称级别": "正高",
            "类别": "管理" if n % 3 == 2 else "技术", "专业": DISCIPLINES[n % 7],
            "来源": SOURCES[n % 4], "地区": PLACES[n % 4], "从业起始年": str(1990 + n % 15),
            "电话": f"1000000{n:04d}", "推荐单位": f"试荐〔2026〕{n + 1}号",
            "同意书日期": "2026-01-05", "核实日期": "2026-01-05",
        }  # fmt: skip
        sheet.append([row.get(head, "") for head in heads])
    book.save(path)
    return path


class Trial:
    """Four people, one empty installation."""

    POOL, REQUEST, CEREMONY = (
        "导入专家 / import of 40 experts",
        "申请与试算 / request and what-if",
        "承诺、会签、掷骰、出示口令 / commitment, cosignature, dice, codes",
    )
    DRAWN = (POOL, REQUEST, CEREMONY)

    def __init__(self, browser: Any, address: str, watch: Stopwatch, folder: Path):
        self.browser, self.address, self.watch, self.folder = browser, address, watch, folder
        self.people: list[Person] = []
        self.experts: list[Person] = []

    def person(self, name: str) -> Person:
        self.people.append(Person(self.browser, self.address, self.watch, name))
        return self.people[-1]

    def whole(self, link: str) -> None:
        self.set_up(link)
        self.watch.begin("建届 / the round, 6 places")
        self.make_round()
        self.watch.begin(self.POOL)
        self.import_pool()
        self.watch.begin(self.REQUEST)
        self.request()
        self.watch.begin(self.CEREMONY)
        self.ceremony()
        self.watch.begin("打电话，七人 / calls, 7 experts")
        self.form_panel()
        self.watch.begin("签到、两份承诺书，七人同时 / check-in and both declarations, 7 at once")
        self.gather()
        self.watch.begin("开放评分 / scoring opened")
        self.open_scoring()

    # -- Monday

    def join(self, person: Person, link: str, name: str, login: str) -> None:
        person.opens(link)
        person.writes("姓名", name)
        person.writes("登录名", login)
        person.writes("新密码", PHRASE)
        person.writes("再输一次", PHRASE)
        person.goes("保存")
        shown = re.search(r"手工输入：\s*([A-Z2-7]+)", person.text())
        assert shown, person.text()
        self.watch.takes_telephone()
        person.goes("都做好了，去登录")
        person.writes("登录名", login)
        person.writes("密码", PHRASE)
        self.watch.takes_telephone()
        person.writes("验证码", pyotp.TOTP(shown.group(1)).now())
        person.goes("登录")
        person.expects("等您办理")

    def set_up(self, link: str) -> None:
        """The administrator invites whom his first page names as missing."""
        admin = self.person("administrator")
        self.join(admin, link, "试管", "guan")
        staff = (
            ("还没有监督人员：请邀请", "监督人员", "试督", "du"),
            ("还没有创建办公室人员：请邀请", "创建办公室", "试办", "ban"),
            ("还没有专家库管理员：请邀请", "专家库管理员", "试库", "ku"),
        )
        made: list[Person] = []
        for waiting, role, name, login in staff:
            self.watch.begin(f"{role} / account {len(made) + 1}")
            admin.goes("明鉴", at="header")
            admin.expects(waiting)
            admin.goes("去办理", at=f"li:has-text('{waiting}')")
            admin.chooses("角色", role)
            admin.goes("生成一次性链接")
            admin.expects(f"一次性链接：{role}")
            found = re.search(r"/join/\S+", admin.text())
            assert found, admin.text()
            colleague = self.person(role)
            self.join(colleague, found.group(0), name, login)
            made.append(colleague)
        self.supervisor, self.office, self.keeper = made
        self.watch.begin("监督人员设备密钥 / the supervisor's device")
        supervisor = self.supervisor
        supervisor.expects("登记本人设备的密钥")
        supervisor.goes("去办理", at="li:has-text('登记本人设备的密钥')")
        supervisor.writes("给这台设备起个名字", "平板")
        supervisor.writes("本人密码", PHRASE)
        supervisor.goes("生成并登记密钥")
        supervisor.expects("设备密钥已登记")

    def make_round(self) -> None:
        office = self.office
        office.expects("还没有届次：新建第一届")
        office.goes("去办理", at="li:has-text('还没有届次')")
        office.chooses("方案", "漯河市")
        office.writes("中文名称", NAME)
        office.writes("网址简称", "trial")
        office.writes("评审日", "2026-12-01")
        office.goes("创建")
        office.goes("添加区县")
        for n, county in enumerate(COUNTIES):
            office.writes("行政区划代码或名称", county)
            if n == 0:
                office.writes("类别认定依据", ACT)
            office.goes("添加", at="main")
            office.expects(f"已添加{county}")
        office.ticks("经济开发区")
        office.writes("园区名称", ZONE)
        office.writes("行政区划代码或名称", COUNTIES[0])
        office.goes("添加", at="main")
        office.expects(f"已添加{ZONE}")
        office.goes(NAME, at="nav, .crumbs")
        office.goes("开启本届")
        office.expects("本届已开启")

    # -- Tuesday

    def import_pool(self) -> None:
        keeper = self.keeper
        keeper.expects("专家库还是空的：从表格导入专家")
        keeper.goes("去办理", at="li:has-text('专家库还是空的')")
        template = keeper.downloads("下载模板", self.folder / "template.xlsx")
        keeper.uploads("文件", fill_template(template, self.folder / "experts.xlsx"))
        keeper.goes("试读")
        assert "缺推荐单位" not in keeper.text()
        keeper.ticks("新建不认识的单位")
        keeper.writes("遴选文件", "示遴〔2026〕1号")
        keeper.goes("导入 40 人")
        keeper.expects("已导入 40 人")

    # -- Wednesday

    def worked(self, person: Person) -> None:
        """The server works on it; the page of the draw comes by itself."""
        with self.watch.waits():
            person.page.wait_for_url(lambda url: "/work" not in url)
            person.page.wait_for_load_state("load")
        self.watch.reads(True)

    def request(self) -> None:
        office = self.office
        office.led("申请抽取专家")
        office.goes("保存草稿")
        office.goes("试算", at="#what-if")
        self.worked(office)
        office.expects("P01 可抽，7 席")
        office.goes("生成口令链")
        office.goes("在这台设备上生成并登记")
        supervisor = self.supervisor
        supervisor.led("生成并登记口令链")
        supervisor.goes("在这台设备上生成并登记")
        supervisor.expects("口令链已登记")

    def ceremony(self) -> None:
        office, supervisor = self.office, self.supervisor
        office.goes("回到本次抽取")
        office.goes("冻结名单并提交承诺")
        self.worked(office)
        office.expects("核对承诺并会签")
        supervisor.led("抽取承诺待会签")
        supervisor.goes("核对并会签")
        self.watch.types("0123456789abcdef")  # copied on paper
        supervisor.writes("本人密码", PHRASE)
        supervisor.goes("已核对，会签承诺")
        supervisor.expects("已会签，可以掷骰子")
        office.led("抽取已会签")
        office.goes("录入数值")
        supervisor.goes("录入数值")
        self.watch.types(DICE)  # both read the same dice and type at the same time
        for person in (office, supervisor):
            person.page.keyboard.type(DICE)
            person.expects("已保存 50 个")
        for person in (office, supervisor):
            person.expects("两人录入一致，已锁定")
            person.goes("下一步：口令")
            person.goes("出示我的口令")
            person.expects("口令相符，已记录")
        supervisor.expects("现任专家")

    def form_panel(self) -> None:
        office = self.office
        office.led("联系专家并组建专家组")
        office.goes("通知专家", at="main")
        office.writes("报到时间", "2026-12-01T08:30")
        office.writes("答复电话", "0000-1234567")
        office.goes("保存通知方案")
        place = "main table tbody tr:has(summary:text-is('登记联系结果'))"
        rows = office.page.locator(place)
        assert rows.count() == EXPERTS, office.text()
        for left in range(EXPERTS, 0, -1):
            office.expects(f"还有 {left} 人未确认", "body")
            office.unfolds("登记联系结果", at=place)
            office.goes("登记", at=f"{place} >> nth=0")
        office.expects("全部席位已确认", "body")
        self.watch.begin("组建专家组 / the panel formed")
        office.goes("下一步：组建专家组和开会")
        office.goes("组建专家组")
        office.expects("专家组已组建")

    # -- Thursday

    def gather(self) -> None:
        """Six sittings opened at once; codes shown one after another, each expert at his own tablet from then on:
        both declarations, signed in everywhere."""
        office = self.office
        office.goes("P01", at="main h2")
        office.goes(f"全部开始（{len(PLACED)} 场）")
        office.expects(f"{len(PLACED)} 场会议已开始", "body")
        rows = office.page.locator("main table").first.locator("tbody tr")
        names = [str(words).split("\t")[1].strip() for words in rows.all_inner_texts()]
        assert len(names) == EXPERTS, names
        office.goes("设为组长")
        turns: list[Lap] = []
        for name in names:
            office.goes("出示二维码", at=f"main tr:has-text('{name}')")
            link = re.search(r"/enter/[0-9A-Z]+", str(office.page.text_content("main")))
            assert link, office.text()
            with self.watch.beside(turns):
                self.arrives(name, link.group(0))
            office.goes("回到专家组")
        self.watch.longest(turns)

    def arrives(self, name: str, link: str) -> None:
        """One expert lets himself in, declares and signs in."""
        expert = self.person(name)
        expert.scans(link)
        expert.goes("是我本人，登录")
        expert.goes("去办理", at="li:has-text('请签署回避与保密承诺书')")
        for paper in ("回避承诺书", "保密承诺书"):
            expert.goes(paper, at="main")
            for n in range(expert.page.locator("main select").count()):
                expert.answers(n, "否")
            expert.writes("签名", name)
            expert.goes("签署", at="main")
            expert.expects("已签署")
        expert.led(f"请签到：{len(PLACED)} 场会议")
        expert.goes(f"签到本组当天全部会议（{len(PLACED)} 场）")
        expert.expects(f"已签到：{len(PLACED)} 场会议", "body")
        self.experts.append(expert)

    def open_scoring(self) -> None:
        office = self.office
        office.led("场会议等待办公室下一步")
        office.goes(f"全部开放评分（{len(PLACED)} 场）")
        office.expects(f"{len(PLACED)} 场会议已向全体成员开放评分", "body")
