"""What `doctor` checks, in words: a check is called by its name in the program and on the command
line, and by these words on a page. Every name has words (tests/supervision)."""

from __future__ import annotations

from collections.abc import Mapping

from app.domain.types import Text
from app.supervision.doctor import FILES, LEDGER


def _same(zh: str, en: str) -> tuple[str, Text]:
    """A check whose name is a sentence: it is its own English."""
    return en, Text(zh, en[0].upper() + en[1:])


NAMES: Mapping[str, Text] = {
    LEDGER: Text("账本核验并覆盖每一行", "The ledger verifies and covers every row"),
    FILES: Text("存放的文件与其哈希相符", "Stored files fit their hashes"),
    "directory.posts_in_order": Text("任职起止日期先后有序", "Dates of posts are in order"),
    "directory.one_region_a_day": Text(
        "一个代码在同一天只指一个行政区", "A code means one region on any day"
    ),
    "directory.no_loops": Text("上级单位不成环", "No organisation stands above itself"),
    "directory.indexes_fit": Text(
        "证件号与电话的查找值与密文相符", "Blind indexes fit what is encrypted"
    ),
    "directory.one_person_an_id": Text("一个证件号只对应一人", "One person to an identity number"),
    "draw.result_recomputed": Text(
        "抽取结果按承诺与种子重算一致", "Results of draws compute again from commitment and seed"
    ),
    "draw.transcript_verifies": Text("抽取记录通过核验", "Transcripts of draws verify"),
    "draw.no_excluded_seated": Text("没有被排除的人入席", "Nobody excluded is seated"),
    "draw.one_seat_a_day": Text("一人一天只坐一席", "One seat a person a day"),
    "draw.one_result": Text("一次抽取只有一个结果", "One result to a purpose"),
    "draw.one_result_a_county": Text("一个区县一年只抽取一次", "One draw a county a year"),
    "draw.releases_as_recorded": Text(
        "再次抽取的放行与账本一致", "Releases of a second draw are as recorded"
    ),
    "draw.as_recorded": Text("抽取与账本记载一致", "Draws are as the ledger records them"),
    "draw.candidates_unchanged": Text(
        "承诺中的名单没有改动", "The pool of a commitment is unchanged"
    ),
    "draw.kind_kept": Text("演练与正式抽取没有互换", "Drills stay drills, real draws real"),
    "programme.pins_are_frozen": Text("已固定的评分表没有改动", "Fixed forms are frozen"),
    "programme.versions_say_their_digest": Text(
        "评分表版本与其摘要相符", "Form versions fit their digests"
    ),
    "programme.rounds_keep_their_rules": Text("各届规则与其摘要相符", "Rounds keep their rules"),
    "programme.materials_are_there": Text("申报材料的文件都在", "Files of the materials are there"),
    "programme.vetoes_have_an_opinion": Text(
        "一票否决都有部门意见", "Every veto rests on an opinion"
    ),
    "programme.two_people_for_a_figure": Text(
        "数据由两人录入与确认", "Two people stand behind a figure"
    ),
    "programme.opinions_are_signed": Text("审查意见都已签署", "Opinions are signed"),
    "programme.samples_follow_from_their_seed": Text(
        "案卷样本由其种子得出", "Samples of case files follow from their seed"
    ),
    "registry.active_consented": Text("在库专家都有同意书", "Active experts have consented"),
    "registry.active_screened": Text(
        "在库专家都经两人筛选", "Active experts were screened by two people"
    ),
    "registry.barred_for_ever": Text("永久除名的人没有回库", "Whoever is barred stays out"),
    "registry.dates_in_order": Text("专家的日期先后有序", "Dates of experts are in order"),
    "registry.decisions_whole": Text("筛选决定完整", "Screening decisions are whole"),
    "registry.keeper_outside": Text(
        "专家库管理员本人不在库内", "A keeper of the pool is not in it"
    ),
    "registry.merged_records": Text(
        "合并的档案指向保留的一份", "Merged records lead to the kept one"
    ),
    **dict(
        [
            _same("组长都在席", "panel leaders hold an active seat"),
            _same("学员从不计入", "trainees never count"),
            _same("先陈述，后评分", "scoring opens after the statement"),
            _same("未经确认的陈述写明原因", "an unconfirmed statement says why"),
            _same("录音均经同意并已保存", "recordings are agreed to and kept"),
            _same("陈述回执与账本相符", "receipts of statements fit the ledger"),
            _same(
                "封存的评分表完整、合计正确并与回执相符",
                "sealed sheets are complete, add up, and match their receipts",
            ),
            _same("每席每区县只有一份计入的评分表", "one counting sheet per seat and county"),
            _same("评分表属于其专家组", "sheets belong to their panel"),
            _same(
                "每席每份样本案卷只有一份计入的评分表",
                "one counting sheet per seat and sampled case file",
            ),
            _same(
                "纸质评分表由两人录入一致并附扫描件",
                "a sheet from paper is what two clerks settled, with its scan",
            ),
            _same(
                "非专家评定的项目由两人登记并附依据",
                "two people and evidence for what no expert gives",
            ),
            _same(
                "平板传来的批次与其操作和账本相符",
                "field batches fit their operations and the ledger",
            ),
            _same(
                "平板操作与其哈希相符，链条没有中断",
                "field operations are what their hashes name, in unbroken chains",
            ),
            _same(
                "在平板上填写的评分表由其操作得出",
                "a sheet filled in on tablets is the fold of its operations",
            ),
            _same("没有照片不封存", "no sheet is sealed without its photos"),
            _same("等待处理的分支都已计数", "every branch that waits is counted"),
            _same("收到的照片和录音都已存放", "every photo and recording that arrived is stored"),
            _same("汇总与其摘要相符", "runs fit their digests"),
            _same(
                "每届最近一次汇总重算逐位一致",
                "the last run of a round computes again digit for digit",
            ),
            _same(
                "每届最近一次汇总依据现有评分表",
                "the last run of a round rests on the sheets as they are",
            ),
            _same("汇总后的更正由两人办理", "corrections after totals have two people"),
            _same("暂缓的结果没有发布", "no held result was released"),
            _same("提示属于其汇总", "flags are those of their run"),
            _same("对提示的决定先后相承", "decisions on a flag follow one another"),
            _same("已定稿报告的文件都在", "papers of final reports are kept"),
            _same("现行报告重新生成一字不差", "the report in force renders to the kept bytes"),
            _same(
                "定稿报告由全体签署，并有签名的账本头",
                "final reports are signed by all under a signed head",
            ),
        ]
    ),
}
