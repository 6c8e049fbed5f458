"""What the codes of this room are called."""

from app.domain.types import Text

# Where an organisation is from, as far as that is a code and not the title of a source.
ORGANISATION_SOURCE = {
    "superior body": Text("上级单位", "Superior body"),
    "entered by the keeper": Text("由专家库管理员录入", "Entered by the keeper"),
}
ORGANISATION_KIND = {
    "authority": Text("自然资源主管部门", "Natural resources authority"),
    "government": Text("政府及其部门", "Government or department"),
    "ministry_unit": Text("部属单位", "Ministry unit"),
    "university": Text("高等院校", "University"),
    "institute": Text("科研院所", "Research institute"),
    "company": Text("企业", "Company"),
}
RELATION = {
    "employed": Text("任职", "Employed"),
    "director": Text("董事", "Director"),
    "supervisor": Text("监事", "Supervisory board"),
    "adviser": Text("顾问", "Adviser"),
    "shareholder": Text("持股", "Shareholder"),
}
CHANGE_KIND = {
    "rename": Text("更名", "Renamed"),
    "merge": Text("合并", "Merged"),
    "split": Text("分设", "Split"),
    "abolish": Text("撤销", "Abolished"),
    "redraw": Text("界线调整", "Redrawn"),
    "transfer": Text("隶属关系变更", "Moved to another superior"),
}
REGION_KIND = {
    "省级": Text("省级", "Province level"),
    "地级市": Text("地级市", "Prefecture-level city"),
    "自治州": Text("自治州", "Autonomous prefecture"),
    "地区": Text("地区", "Prefecture"),
    "盟": Text("盟", "League"),
    "县": Text("县", "County"),
    "市辖区": Text("市辖区", "District"),
    "县级市": Text("县级市", "County-level city"),
    "自治县": Text("自治县", "Autonomous county"),
    "旗": Text("旗", "Banner"),
    "自治旗": Text("自治旗", "Autonomous banner"),
    "林区": Text("林区", "Forestry district"),
    "特区": Text("特区", "Special district"),
}
