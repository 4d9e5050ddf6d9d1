package rare

import "strings"

// Radical is one of the 214 of the Kangxi dictionary, by which Unicode orders characters.
type Radical struct {
	Number  int
	Forms   string // how it is written, the usual form first
	Strokes int    // of the usual form
}

// radicals lists them by number. What stands first is what people here write.
const radicalForms = `一 丨 丶 丿乀 乙乛乚 亅 二 亠 人亻 儿 入 八丷 冂 冖 冫 几 凵 刀刂 力 勹 匕 匚 匸 十 卜 卩㔾 厂 厶 又
口 囗 土 士 夂 夊 夕 大 女 子 宀 寸 小⺌ 尢尣 尸 屮 山 川巛 工 己 巾 干 幺 广 廴 廾 弋 弓 彐彑 彡 彳
心忄㣺 戈 户戶 手扌 支 攵攴 文 斗 斤 方 无旡 日 曰 月 木 欠 止 歹歺 殳 毋母 比 毛 氏 气 水氵氺 火灬 爪爫 父 爻 爿丬 片 牙 牛牜 犬犭
玄 王玉 瓜 瓦 甘 生 用 田 疋 疒 癶 白 皮 皿 目 矛 矢 石 示礻 禸 禾 穴 立
竹⺮ 米 糸纟糹 缶 网罒 羊⺶ 羽 老耂 而 耒 耳 聿 肉⺼ 臣 自 至 臼 舌 舛 舟 艮 色 艹艸 虍 虫 血 行 衣衤 西覀襾
见見 角 讠言訁 谷 豆 豕 豸 贝貝 赤 走 足⻊ 身 车車 辛 辰 辶辵⻌ 邑阝 酉 采釆 里
钅金釒 长長 门門 阜阝 隶 隹 雨⻗ 青靑 非
面 革 韦韋 韭 音 页頁 风風 飞飛 饣食飠 首 香
马馬 骨 高 髟 斗鬥 鬯 鬲 鬼
鱼魚 鸟鳥 卤鹵 鹿 麦麥 麻
黄黃 黍 黑 黹
黾黽 鼎 鼓 鼠
鼻 齐齊
齿齒
龙龍 龟龜
龠`

// twins are parts that are one to whoever looks for a character: 氵 is 水. The first is the chief one.
const twins = `人亻 刀刂 心忄㣺⺗ 手扌龵 水氵氺 火灬 犬犭 玉⺩ 示礻⺬ 竹⺮ 糸纟糹 艹艸⺾⺿䒑 衣衤 言讠訁 足⻊ 辶辵⻌⻍⻎ 金钅釒 食饣飠⻞⻟ 网罒⺲ 老耂⺹ 羊⺶⺷ 牛牜 攴攵
肉⺼ 爪爫 卩㔾⺋ 小⺌⺍ 八丷 门門 马馬 车車 鱼魚 鸟鳥 贝貝 页頁 见見 风風 韦韋 长長镸 齿齒 麦麥 龙龍 龟龜 黾黽 卤鹵 户戶 彐彑 川巛 乙乚乛 西覀 雨⻗ 阝⻖⻏ 月⺝ 卜⺊`

var (
	radicals  []Radical
	numberOf  = map[rune]int{}
	chiefs    = map[rune]rune{}
	chiefsFor = map[rune][]rune{}
)

func init() {
	for i, forms := range strings.Fields(radicalForms) {
		radicals = append(radicals, Radical{Number: i + 1, Forms: forms})
		for _, r := range forms {
			if _, ok := numberOf[r]; !ok {
				numberOf[r] = i + 1
			}
		}
	}
	for _, set := range strings.Fields(twins) {
		rs := []rune(set)
		for _, r := range rs {
			chiefs[r] = rs[0]
		}
		chiefsFor[rs[0]] = rs
	}
}

// Radicals returns the 214 radicals by number.
func (t *Table) Radicals() []Radical {
	out := make([]Radical, len(radicals))
	copy(out, radicals)
	for i := range out {
		if c, ok := t.Info([]rune(out[i].Forms)[0]); ok {
			out[i].Strokes = c.Strokes
		}
	}
	return out
}

// RadicalOf returns the number of the radical that r writes, or 0.
func RadicalOf(r rune) int {
	if n, ok := numberOf[r]; ok {
		return n
	}
	return numberOf[chief(r)]
}

// chief returns the part by which its twins are known.
func chief(r rune) rune {
	if c, ok := chiefs[r]; ok {
		return c
	}
	return r
}

// forms returns r and its twins.
func forms(r rune) []rune {
	if f, ok := chiefsFor[chief(r)]; ok {
		return f
	}
	return []rune{r}
}

// component reports whether r is a part that is no character: a radical's form or a stroke.
func component(r rune) bool { return r >= 0x2E80 && r <= 0x2FD5 || r >= 0x31C0 && r <= 0x31E3 }

// operator reports whether r says how parts lie, or that a part is not known.
func operator(r rune) bool {
	return r >= 0x2FF0 && r <= 0x2FFF || r == 0x31EF || r == '〾' || r == '？' || r < 0x80
}
