package pinyin

import "strings"

// surnames whose reading differs from the character's usual one, or should be certain.
var surnames = parseTable(`单 shan|解 xie|仇 qiu|曾 zeng|查 zha|任 ren|盖 ge|尉 wei|朴 piao|区 ou|繁 po|乐 yue|员 yun|种 chong|秘 bi|召 shao|
冼 xian|洗 xian|翟 zhai|缪 miao|覃 qin|谌 chen|隗 wei|逄 pang|哈 ha|那 na|折 she|黑 he|宓 mi|祭 zhai|能 nai|訾 zi|佴 nai|郇 xun|郗 xi|句 gou|
应 ying|宁 ning|燕 yan|令 ling|车 che|石 shi|沈 shen|华 hua|於 yu|厍 she|晁 chao|葛 ge|岑 cen|牟 mou|贾 jia|褚 chu|瞿 qu|卜 bu|柏 bai|费 fei|
阚 kan|曲 qu|行 xing|肖 xiao|长 zhang|强 qiang|相 xiang|占 zhan|幸 xing|戴 dai|夏 xia|向 xiang|雷 lei|乜 nie|麴 qu|俞 yu|臧 zang|藏 zang|干 gan|
冯 feng|纪 ji|洪 hong|万 wan|余 yu|都 du|过 guo|重 chong|仉 zhang|呙 guo|撒 sa|阿 a|莫 mo|景 jing|喀 ka|库 ku|
尉迟 yu chi|万俟 mo qi|长孙 zhang sun|澹台 tan tai|单于 chan yu|鲜于 xian yu|令狐 ling hu|亓官 qi guan|夏侯 xia hou|皇甫 huang fu|宰父 zai fu|
谷梁 gu liang|拓跋 tuo ba|呼延 hu yan|乐正 yue zheng|子车 zi ju|欧阳 ou yang|上官 shang guan|司马 si ma|诸葛 zhu ge|公孙 gong sun|慕容 mu rong|
宇文 yu wen|司徒 si tu|东方 dong fang|独孤 du gu|南宫 nan gong|赫连 he lian|濮阳 pu yang|太史 tai shi|端木 duan mu|轩辕 xuan yuan|百里 bai li|
东郭 dong guo|西门 xi men|第五 di wu|闻人 wen ren|申屠 shen tu|钟离 zhong li|完颜 wan yan|耶律 ye lv|达奚 da xi`)

// phrases in which a character is not read in its usual way; words of public service first.
var phrases = parseTable(`重庆 chong qing|银行 yin hang|行业 hang ye|行距 hang ju|会计 kuai ji|重复 chong fu|重新 chong xin|重建 chong jian|
重阳 chong yang|长者 zhang zhe|长辈 zhang bei|家长 jia zhang|村长 cun zhang|成长 cheng zhang|生长 sheng zhang|增长 zeng zhang|长子 zhang zi|
长女 zhang nv|校长 xiao zhang|厦门 xia men|大厦 da sha|调解 tiao jie|调整 tiao zheng|调换 diao huan|空调 kong tiao|出差 chu chai|差旅 chai lv|
给付 ji fu|供给 gong ji|补给 bu ji|自给 zi ji|率先 shuai xian|投降 tou xiang|校对 jiao dui|校正 jiao zheng|音乐 yin yue|乐器 yue qi|
人参 ren shen|党参 dang shen|参差 cen ci|都市 du shi|首都 shou du|成都 cheng du|还款 huan kuan|归还 gui huan|偿还 chang huan|退还 tui huan|
朝阳 chao yang|朝鲜 chao xian|蚌埠 beng bu|东阿 dong e|六安 lu an|丽水 li shui|台州 tai zhou|长春 chang chun|单县 shan xian|解县 xie xian|
乐清 yue qing|乐亭 lao ting|番禺 pan yu|铅山 yan shan|洪洞 hong tong|大埔 da bu|黄埔 huang pu|浚县 xun xian|尉犁 yu li|中标 zhong biao|
中奖 zhong jiang|便宜 pian yi|提防 di fang|处分 chu fen|处理 chu li|处罚 chu fa|处置 chu zhi|应用 ying yong|应急 ying ji|供养 gong yang|
种植 zhong zhi|种地 zhong di|种粮 zhong liang|量体 liang ti|测量 ce liang|丈量 zhang liang|兴办 xing ban|复兴 fu xing|振兴 zhen xing|
血液 xue ye|结婚 jie hun|结扎 jie za|驾驶 jia shi|塞外 sai wai|落户 luo hu|落实 luo shi|角色 jue se|曲折 qu zhe|藏族 zang zu|西藏 xi zang|
纤维 xian wei|弹性 tan xing|强迫 qiang po|勉强 mian qiang|为己 wei ji|作为 zuo wei|行为 xing wei|难民 nan min|灾难 zai nan|救难 jiu nan|
着火 zhao huo|执着 zhi zhuo|没收 mo shou|淹没 yan mo|模样 mu yang|奔丧 ben sang|丧葬 sang zang|丧失 sang shi|宁夏 ning xia|
高龄 gao ling|居住 ju zhu|登记 deng ji|车辆 che liang|薄弱 bo ruo|单薄 dan bo|厚薄 hou bo|识别 shi bie|标识 biao zhi|什么 shen me|
传记 zhuan ji|转账 zhuan zhang|载重 zai zhong|记载 ji zai|三年五载 san nian wu zai|刹车 sha che|折旧 zhe jiu|畜牧 xu mu|牲畜 sheng chu|
臭氧 chou yang|咽喉 yan hou|喝水 he shui|哄骗 hong pian|合同 he tong|胡同 hu tong|划分 hua fen|计划 ji hua|晕车 yun che|倒闭 dao bi|
倒塌 dao ta|好评 hao ping|爱好 ai hao|号召 hao zhao|和平 he ping|系统 xi tong|关系 guan xi|吓唬 xia hu|恐吓 kong he`)

const maxPhrase = 4

// usual readings of characters whose first entry in the table is not the one in use.
var usual = map[rune]string{
	'〇': "ling", '地': "di", '的': "de", '了': "le", '着': "zhe", '给': "gei", '还': "hai", '都': "dou", '得': "de", '们': "men",
	'居': "ju", '家': "jia", '车': "che", '参': "can", '行': "xing", '长': "chang", '重': "zhong", '会': "hui", '调': "diao", '差': "cha",
	'大': "da", '石': "shi", '期': "qi", '费': "fei", '养': "yang", '个': "ge", '只': "zhi", '单': "dan", '解': "jie", '查': "cha",
	'校': "xiao", '降': "jiang", '率': "lv", '数': "shu", '间': "jian", '处': "chu", '发': "fa", '便': "bian", '转': "zhuan", '相': "xiang",
	'南': "nan", '不': "bu", '无': "wu", '女': "nv", '吗': "ma", '呢': "ne", '吧': "ba", '少': "shao", '上': "shang", '内': "nei",
	'区': "qu", '种': "zhong", '亲': "qin", '属': "shu", '食': "shi", '艾': "ai", '伯': "bo", '万': "wan", '曾': "zeng", '任': "ren",
	'乐': "le", '朴': "pu", '盖': "gai", '尉': "wei", '阿': "a", '合': "he", '核': "he", '提': "ti", '术': "shu", '折': "zhe",
	'脏': "zang", '量': "liang", '厦': "sha", '什': "shi", '么': "me", '和': "he", '那': "na", '这': "zhe", '被': "bei", '贴': "tie",
}

// second readings under which people look for a character, whatever the phrase.
var second = map[rune][]string{
	'重': {"zhong", "chong"}, '长': {"chang", "zhang"}, '行': {"xing", "hang"}, '会': {"hui", "kuai"}, '参': {"can", "shen"}, '乐': {"le", "yue"},
	'调': {"diao", "tiao"}, '单': {"dan", "shan"}, '解': {"jie", "xie"}, '查': {"cha", "zha"}, '曾': {"zeng", "ceng"}, '仇': {"chou", "qiu"},
	'区': {"qu", "ou"}, '盖': {"gai", "ge"}, '朴': {"pu", "piao"}, '尉': {"wei", "yu"}, '给': {"gei", "ji"}, '率': {"lv", "shuai"},
	'降': {"jiang", "xiang"}, '校': {"xiao", "jiao"}, '还': {"hai", "huan"}, '都': {"dou", "du"}, '差': {"cha", "chai"}, '传': {"chuan", "zhuan"},
	'藏': {"cang", "zang"}, '朝': {"chao", "zhao"}, '厦': {"sha", "xia"}, '石': {"shi", "dan"}, '种': {"zhong", "chong"}, '翟': {"zhai", "di"},
	'覃': {"qin", "tan"}, '车': {"che", "ju"}, '牟': {"mou", "mu"}, '柏': {"bai", "bo"}, '洗': {"xi", "xian"}, '缪': {"miao", "mou"},
	'折': {"zhe", "she"}, '畜': {"chu", "xu"}, '弹': {"tan", "dan"}, '薄': {"bo", "bao"}, '血': {"xue", "xie"}, '识': {"shi", "zhi"},
	'便': {"bian", "pian"}, '落': {"luo", "la"}, '没': {"mei", "mo"}, '为': {"wei"}, '绿': {"lv", "lu"}, '六': {"liu", "lu"},
	'女': {"nv", "nu"}, '吕': {"lv", "lu"}, '旅': {"lv"}, '律': {"lv"}, '员': {"yuan", "yun"}, '俞': {"yu", "shu"}, '郗': {"xi", "chi"},
}

// parseTable reads "汉字 yin jie|…".
func parseTable(s string) map[string][]string {
	m := make(map[string][]string)
	for e := range strings.SplitSeq(s, "|") {
		f := strings.Fields(e)
		m[f[0]] = f[1:]
	}
	return m
}
