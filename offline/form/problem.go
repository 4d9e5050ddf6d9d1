package form

import (
	"strings"

	"bianmin/offline/words"
)

// Problem is one fault of one answer, in words for the person at the counter. It never holds the answer itself.
type Problem struct {
	Path  Path
	Key   string            // translation key, for example "form.required" or "ident.idChecksum"
	Args  map[string]string // values of the key's placeholders
	Text  Text              // the sentence, ready in both languages
	Label Text              // label of the field
	Line  int               // line of the answers file, 0 when typed on a screen
	Cause error             // what the log shows of a line that could not be read; nil otherwise
}

// Error returns the fault in English with its path, for logs and the command line.
func (p *Problem) Error() string { return string(p.Path) + ": " + p.Text.EN }

// Unwrap returns the cause, nil for all but a line that could not be read.
func (p *Problem) Unwrap() error { return p.Cause }

// Missing reports whether the fault is that nothing, or too few rows, were given.
func (p *Problem) Missing() bool {
	switch p.Key {
	case "form.required", "form.requiredChoice", "form.requiredMaterial", "form.requiredSignature", "form.requiredConsent", "form.rowsMin":
		return true
	}
	return false
}

// Words returns the fault as an error for people.
func (p *Problem) Words() error {
	e := words.New(p.Key, nil)
	e.Args = p.Args
	return e
}

// fault is a problem before its path and label are known.
type fault struct {
	key  string
	args []string // name, value, name, value, ...
	text Text     // instead of the key's own sentence
	part string
}

func (x *fault) problem(path Path, label Text) *Problem {
	if x.part != "" {
		path += Path("." + x.part)
		label = partLabels[x.part]
	}
	p := &Problem{Path: path, Key: x.key, Label: label, Text: x.text}
	if p.Text.IsZero() {
		p.Text = messages[x.key]
	}
	pairs := []string{"{label.zh}", label.ZH, "{label.en}", label.EN}
	for i := 0; i+1 < len(x.args); i += 2 {
		if p.Args == nil {
			p.Args = map[string]string{}
		}
		p.Args[x.args[i]] = x.args[i+1]
		pairs = append(pairs, "{"+x.args[i]+"}", x.args[i+1])
	}
	r := strings.NewReplacer(pairs...)
	p.Text = Text{ZH: r.Replace(p.Text.ZH), EN: r.Replace(p.Text.EN)}
	return p
}

var partLabels = map[string]Text{
	"name":     {"姓名", "Name"},
	"idno":     {"身份证号", "ID number"},
	"phone":    {"联系电话", "Telephone"},
	"address":  {"住址", "Address"},
	"relation": {"与申请人关系", "Relation to the applicant"},
	"birth":    {"出生日期", "Date of birth"},
	"sex":      {"性别", "Sex"},
}

// PartLabel returns the label of a part of a person, zero when there is no such part.
func PartLabel(part string) Text { return partLabels[part] }

// messages are the sentences of all problem keys. Screens may show them as they are.
var messages = map[string]Text{
	"form.required":          {"请填写{label.zh}。", "Please fill in: {label.en}."},
	"form.requiredChoice":    {"请选择{label.zh}。", "Please choose: {label.en}."},
	"form.requiredMaterial":  {"请提供{label.zh}。", "Please provide: {label.en}."},
	"form.requiredSignature": {"请签名：{label.zh}。", "Please sign: {label.en}."},
	"form.requiredConsent":   {"请阅读并同意：{label.zh}。", "Please read and agree: {label.en}."},
	"form.kind":              {"{label.zh}的格式不对，应为{want.zh}。", "{label.en}: wrong type of value, {want.en} is needed."},
	"form.text":              {"{label.zh}里有不能使用的字符，请重新填写。", "{label.en} holds characters that cannot be used."},
	"form.tooShort":          {"{label.zh}至少填写{min}个字。", "{label.en}: at least {min} characters."},
	"form.tooLong":           {"{label.zh}最多填写{max}个字。", "{label.en}: at most {max} characters."},
	"form.integer":           {"{label.zh}请填写整数。", "{label.en}: please give a whole number."},
	"form.decimal":           {"{label.zh}请填写数字，最多{scale}位小数。", "{label.en}: please give a number with at most {scale} decimal places."},
	"form.money":             {"{label.zh}请填写金额，单位为元，最多两位小数。", "{label.en}: please give an amount in yuan with at most two decimal places."},
	"form.min":               {"{label.zh}不能小于{min}。", "{label.en}: not less than {min}."},
	"form.max":               {"{label.zh}不能大于{max}。", "{label.en}: not more than {max}."},
	"form.date":              {"{label.zh}请填写日期，例如 2026-11-22。", "{label.en}: please give a date such as 2026-11-22."},
	"form.option":            {"{label.zh}请从列表里选择。", "{label.en}: please choose from the list."},
	"form.listMissing":       {"{label.zh}的选项还没有收到，请先同步。", "{label.en}: the list of options has not arrived, please synchronise first."},
	"form.division":          {"{label.zh}不是有效的行政区划，请重新选择。", "{label.en}: no valid division, please choose again."},
	"form.divisionLevel":     {"{label.zh}请选到{level.zh}。", "{label.en}: please choose down to the {level.en}."},
	"form.rowsMin":           {"{label.zh}至少填写{min}项。", "{label.en}: at least {min}."},
	"form.rowsMax":           {"{label.zh}最多填写{max}项。", "{label.en}: at most {max}."},
	"form.file":              {"{label.zh}的文件信息不完整，请重新拍照或选择。", "{label.en}: the file is incomplete, please take or choose it again."},
	"form.fileType":          {"{label.zh}不支持这种文件，请改用照片或 PDF。", "{label.en}: this type of file is not accepted, please use a photo or a PDF."},
	"form.fileSize":          {"{label.zh}的文件太大，最多{max}MB。", "{label.en}: the file is too large, at most {max} MB."},
	"form.signature":         {"签名没有保存好，请重新签名。", "The signature was not kept, please sign again."},
	"form.constraint":        {"{label.zh}不符合要求，请核对。", "{label.en} does not meet the rule, please check."},
	"form.rule":              {"{label.zh}暂时无法检查，请联系县级管理员核对表单。", "{label.en} cannot be checked: the form's rule takes too long. Please call the county's administrator."},
	"form.unknown":           {"表单里没有这一项。", "The form has no such field."},
	"form.notRelevant":       {"按其他答案，{label.zh}不需要填写，请去掉。", "{label.en} is not asked for with these answers, please leave it out."},
	"form.computed":          {"{label.zh}由系统计算，与填写的不一致。", "{label.en} is computed and differs from the value given."},
	"form.readOnly":          {"{label.zh}不能修改。", "{label.en} cannot be changed."},
	"form.notNormal":         {"{label.zh}的写法不规范，请重新填写。", "{label.en} is not in its normal form."},
	"form.json":              {"{reason.zh}。", "{reason.en}."},
	"form.version":           {"表单版本不一致。", "The answers belong to another version of the form."},

	"ident.idLength":     {"身份证号应为18位，请核对。", "An ID number has 18 characters, please check."},
	"ident.idOld":        {"这是15位旧身份证号，请填写18位新号码。", "This is an old number of 15 digits, please give the one of 18."},
	"ident.idChars":      {"身份证号里有不能使用的字符，请核对。", "The ID number holds a character that cannot be there, please check."},
	"ident.idDivision":   {"身份证号的前六位不对，请核对。", "The first six digits of the ID number are wrong, please check."},
	"ident.idDate":       {"身份证号里的出生日期不存在，请核对。", "The birth date in the ID number does not exist, please check."},
	"ident.idFuture":     {"身份证号里的出生日期还没有到，请核对。", "The birth date in the ID number lies ahead, please check."},
	"ident.idChecksum":   {"身份证号有误，可能输错了一位，请对照证件核对。", "The ID number is wrong, perhaps by one digit; please compare with the card."},
	"ident.phone":        {"电话号码不对，请填写手机号或带区号的座机号。", "Please give a mobile number, or a landline with its area code."},
	"ident.cardLength":   {"银行卡号应为16至19位数字，请核对。", "A bank card number has 16 to 19 digits, please check."},
	"ident.cardChars":    {"银行卡号只能是数字，请核对。", "A bank card number has digits only, please check."},
	"ident.cardChecksum": {"银行卡号有误，可能输错了一位，请对照卡片核对。", "The bank card number is wrong, perhaps by one digit; please compare with the card."},
	"ident.nameEmpty":    {"请填写姓名。", "Please give the name."},
	"ident.nameLong":     {"姓名最多50个字。", "A name has at most 50 characters."},
	"ident.nameChars":    {"姓名里有不能使用的字符，请核对。", "The name holds characters that cannot be there, please check."},
	"ident.nameDot":      {"姓名中的间隔号请用“·”。", "Please separate the parts of the name with “·”."},
	"ident.nameOld":      {"姓名里有旧系统编码的字，请改为标准字。", "The name holds a character in the code of an old system, please change it to the standard one."},
	"ident.namePrivate":  {"姓名里有自造编码的字，请对照证件用“生僻字”重新选字。", "The name holds a character with a home-made code; please compare with the card and choose it again under rare characters."},

	"ident.creditLength":   {"统一社会信用代码应为18位，请核对。", "A social credit code has 18 characters, please check."},
	"ident.creditChars":    {"统一社会信用代码里有不能使用的字符，请核对。", "The social credit code holds characters that cannot be there, please check."},
	"ident.creditChecksum": {"统一社会信用代码有误，请对照执照核对。", "The social credit code is wrong, please compare with the licence."},
	"ident.creditOrg":      {"统一社会信用代码中的机构代码有误，请核对。", "The organisation code inside the social credit code is wrong, please check."},
}

var levelNames = [...]Text{{}, {"省", "province"}, {"市", "city"}, {"县（区）", "county"}, {"乡镇（街道）", "township"}, {"村（社区）", "village"}}

// requiredKey is the key of "this is missing", in the words that go with the kind.
func requiredKey(k Kind) string {
	switch k {
	case KindChoice, KindChoices, KindYesNo, KindDivision, KindDate:
		return "form.requiredChoice"
	case KindMaterial:
		return "form.requiredMaterial"
	case KindSignature:
		return "form.requiredSignature"
	case KindConsent:
		return "form.requiredConsent"
	}
	return "form.required"
}
