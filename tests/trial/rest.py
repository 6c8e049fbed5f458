"""The second half of the first round: sheets, items of others, figures, totals, report, release, archive."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import openpyxl

from tests.trial.round import EXPERTS, NAME, PHRASE, PLACED, Trial
from tests.trial.stopwatch import Lap
from tests.trial.tablet import bind, scores

ITEMS = ("LC1", "L1", "L2", "L3", "L4", "L5")  # what Luohe lets others than experts give
SECTIONS = (("achievements", "成效明显"), ("problems", "台账不全"), ("conclusion", "同意推荐"))


def fill_figures(template: Path, path: Path) -> Path:
    """The product's own table with plainly invented ratios."""
    book = openpyxl.load_workbook(template)
    sheet: Any = book.active
    heads = [str(cell.value) for cell in sheet[1]]
    assert sheet.max_row > 1, "no figure is missing"
    for n, row in enumerate(sheet.iter_rows(min_row=2)):
        row[heads.index("数值")].value = f"0.{80 + n % 19}"
        row[heads.index("来源")].value = "试验测算"
    book.save(path)
    return path


class WholeTrial(Trial):
    """From opened scoring to the archive that checks itself."""

    def to_archive(self, link: str) -> Path:
        self.whole(link)
        for name, part in (
            ("评分表 42 张，七人同时 / 42 sheets on tablets, 7 at once", self.fill_sheets),
            ("第二名办公室人员 / a second person of the office", self.second_clerk),
            ("非专家评定项目 36 个，两人 / 36 items of others, by two", self.give_items),
            ("数据表，两人 / figures, by two", self.enter_figures),
            ("结束六场会议 / six sittings closed", self.close_sittings),
            ("汇总 / totals", self.run_totals),
            ("报告：起草、七人签署、定稿 / report drafted, signed by 7, final", self.report),
            ("向区县发布，两人；区县查看 / release by two, seen by a county", self.release),
        ):
            self.watch.begin(name)
            part()
        self.watch.begin("结束本届、归档 / round closed, archive")
        return self.archive()

    def fill_sheets(self) -> None:
        turns: list[Lap] = []
        for n, expert in enumerate(self.experts):
            with self.watch.beside(turns):
                expert.led(f"请评分：{PLACED[0]}")
                bind(expert, f"{n + 1}号")
                for k, place in enumerate(PLACED):
                    marks = [
                        [],
                        [f"{11 + (n + k) % 4}", f"{7 + (n + 2 * k) % 3}"],
                        [f"{5 + n * k % 3}"],
                    ]
                    scores(expert, place, marks)
                expert.expects("全部已回执", "body")
        self.watch.longest(turns)

    def second_clerk(self) -> None:
        """Nothing goes by one person alone: the administrator invites another one."""
        admin = self.people[0]
        admin.goes("明鉴", at="header")
        admin.goes("账号与角色", at="body")
        admin.chooses("角色", "创建办公室")
        admin.goes("生成一次性链接")
        found = re.search(r"/join/\S+", admin.text())
        assert found, admin.text()
        self.second = self.person("second clerk")
        self.join(self.second, found.group(0), "试核", "he")

    def give_items(self) -> None:
        office, second = self.office, self.second
        office.led("个非专家评定项目待登记")
        office.goes(PLACED[0], at="main")
        for n, _ in enumerate(PLACED):
            if n:
                office.goes("下一个", at="main nav")
            office.writes("依据", "自查")
            office.writes("LC1 评分", f"6.{n}")
            for item in ITEMS[1:-1]:
                office.ticks("符合", at=f"#line-selfcheck-{item}")
            office.ticks("未发现否决情形")
            office.goes(f"登记所填 {len(ITEMS)} 项")
            office.expects(f"已登记 {len(ITEMS)} 项，等待另一人确认", "body")
        second.led("个已登记项目待第二人确认")
        second.goes(PLACED[0], at="main")
        for n, _ in enumerate(PLACED):
            if n:
                second.goes("下一个", at="main nav")
            second.presses("全选", at="main")
            second.goes(f"确认所选 {len(ITEMS)} 项")
            second.expects(f"已确认 {len(ITEMS)} 项。", "body")

    def enter_figures(self) -> None:
        office, second = self.office, self.second
        office.led("项数据还缺")
        table = office.downloads("下载待填的表", self.folder / "figures-empty.xlsx")
        office.uploads("数据表", fill_figures(table, self.folder / "figures.xlsx"))
        office.goes("检查")
        office.goes("录入")
        office.expects("项数据。", "body")
        second.led("项数据待第二人确认")
        second.presses("全选", at="main")
        second.goes("确认所选", at="main")
        second.expects("项。", "body")

    def close_sittings(self) -> None:
        office = self.office
        office.led("场会议等待办公室下一步")
        office.goes(f"全部结束（{len(PLACED)} 场）")
        office.expects(f"{len(PLACED)} 场会议已结束", "body")

    def run_totals(self) -> None:
        office = self.office
        office.led("评分已全部结束：可以汇总")
        office.goes("汇总", at="main form")
        office.expects("得分与排序", "body")

    def report(self) -> None:
        leader, office = self.experts[0], self.office
        leader.opens("/")
        leader.goes("去办理", at="li:has-text('请起草评审报告')")
        leader.goes("起草报告")
        for key, words in SECTIONS:
            leader.writes("组长撰写", words, at=f"#s-{key}")
            leader.goes("保存", at=f"#s-{key}")
        leader.goes("送签", at="main")
        turns: list[Lap] = []
        assert len(self.experts) == EXPERTS
        for expert in self.experts:
            with self.watch.beside(turns):
                if expert is leader:
                    leader.goes("明鉴", at="header")
                else:
                    expert.opens("/")
                expert.goes("去办理", at="li:has-text('请签署评审报告')")
                expert.ticks("同意并签字", at="#sign")
                expert.writes("签名", expert.name, at="#sign")
                expert.goes("签署", at="#sign")
                expert.expects("您已签署")
        self.watch.longest(turns)
        office.led("评审报告签署中")
        office.goes("定稿", at="main")
        self.worked(office)
        office.expects("文件 SHA-256")
        self.watch.points()
        with self.watch.waits():  # the browser would show it where it stands
            link = office.page.get_by_role("link", name="PDF 报告", exact=True)
            paper = office.page.request.get(str(link.get_attribute("href")))
        assert paper.ok and paper.body().startswith(b"%PDF"), paper.status

    def release(self) -> None:
        """The county's representative has an account of his own, gets the release and reads it."""
        office, second = self.office, self.second
        office.goes("汇总 已完成")
        office.goes("第 1 次", at="main")
        office.goes("向区县发布")
        office.goes("提出发布")
        second.led("向区县发布结果待您确认")
        second.goes("确认发布")
        second.expects("已发布")
        office.goes("明鉴", at="header")
        office.goes(NAME, at="body")
        office.goes(PLACED[0], at="main")
        office.writes("姓名", "试陈")
        office.goes("生成一次性链接", at="main")
        found = re.search(r"/join/\S+", office.text())
        assert found, office.text()
        county = self.person("presenter")
        county.opens(found.group(0))
        county.writes("登录名", "chen")
        county.writes("新密码", PHRASE)
        county.writes("再输一次", PHRASE)
        county.goes("保存")
        county.writes("登录名", "chen")
        county.writes("密码", PHRASE)
        county.goes("登录", at="main")
        county.goes("去办理", at="li:has-text('本县评审结果已发布')")
        county.expects(PLACED[0])

    def archive(self) -> Path:
        office = self.office
        office.goes("明鉴", at="header")
        office.goes(NAME, at="body")
        office.goes("结束本届")
        office.goes("归档", at="main")
        return office.downloads("制作并下载档案", self.folder / "archive.zip")
