package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"bianmin/offline/ident"
	"bianmin/offline/people"
)

// homes are the households: village code, place, street address; then name, birth date, sex, relation (code of the list
// "relation") and what is special about a person. Householders stand first.
const homes = `
999999101201|清河镇柳树村|1组3号
 刘玉珍 1941-02-03 F 02 alone,card
999999101201|清河镇柳树村|1组5号
 陈德福 1941-02-03 M 02 card
 吴秀兰 1944-09-18 F 10 card
 陈卫东 1968-05-12 M 20
999999101201|清河镇柳树村|1组9号
 单长寿 1925-03-08 M 02 card
 单晓燕 1972-11-20 F 30
999999101201|清河镇柳树村|2组2号
 张守义 1932-07-01 M 02 card
 杨桂花 1935-12-12 F 10 card
 张建民 1959-04-04 M 20
 何翠萍 1961-08-23 F 38
 张浩然 1988-01-30 M 40
999999101201|清河镇柳树村|2组7号
 欧阳国栋 1979-10-01 M 02
 马晓红 1981-06-15 F 10
 欧阳雨桐 2009-03-19 F 30
 欧阳子轩 2016-09-09 M 20
999999101201|清河镇柳树村|3组1号
 黄大勇 1986-02-11 M 02 low-income
 罗小娟 1989-07-07 F 10 low-income
 黄思远 2013-05-25 M 20 low-income
 黄思佳 2019-11-03 F 30 low-income
999999101201|清河镇柳树村|3组12号
 周玉梅 1938-01-17 F 02 alone,card,disabled
999999101201|清河镇柳树村|4组6号
 解放军 1951-08-01 M 02 veteran,card
 沈月娥 1953-02-14 F 10
999999101202|清河镇东湾村|1组4号
 尉迟青山 1940-06-30 M 02 card
 曾凤英 1943-10-10 F 10 card
999999101202|清河镇东湾村|2组8号
 仇志明 1974-03-03 M 02
 查玉洁 1976-12-05 F 10
 仇喆 2003-08-16 M 20
999999101203|清河镇石磨村|1组1号
 任淑贞 1927-05-20 F 02 card,disabled
 韩立新 1955-09-29 M 20
999999101203|清河镇石磨村|3组3号
 冯堃 1992-04-27 M 02
 邓雅琪 1994-10-31 F 10
 冯一诺 2022-06-18 F 30
 冯一鸣 2025-08-08 M 20
999999101204|清河镇杏花村|2组10号
 阿依古丽·买买提 1990-12-21 F 02
 艾力·买买提 2015-02-02 M 20
999999101001|清河镇清河社区|中心街15号2单元301室
 方昉 1984-11-11 M 02
 郑翀 1985-05-05 F 10
 方若溪 2012-12-12 F 30
999999102201|柳林镇大槐村|1组2号
 高振华 1936-10-15 M 02 card
 宋素芬 1939-03-26 F 10 card
999999102201|柳林镇大槐村|2组6号
 唐永利 1966-01-09 M 02 low-income,disabled
 唐小雨 2006-07-21 F 30 low-income
999999102201|柳林镇大槐村|3组4号
 许金凤 1946-11-30 F 02 card
 许文博 1971-02-28 M 20
 蒋海霞 1973-06-06 F 38
 许佳怡 1999-09-01 F 40
999999102202|柳林镇南坡村|1组7号
 盖玉林 1945-12-25 M 02 card
 覃美玲 1948-08-08 F 10
999999102204|柳林镇龙泉村|5组1号
 万俟春 1963-05-01 M 02
 乐秋菊 1964-09-17 F 10
999999201201|石桥乡石桥村|2组2号
 龚翰 1996-07-14 M 02
 梁㛃 1997-01-01 F 10
 龚沐阳 2024-02-29 M 20
999999001001|城关街道府前社区|府前路22号1单元102室
 区明亮 1957-04-18 M 02
 华玉蓉 1958-11-02 F 10
 区家豪 1983-10-24 M 20
999999001003|城关街道东关社区|东关路9号
 金成林 1942-09-09 M 02 card
 程秀珠 1946-03-14 F 10 card
 金海涛 1969-10-02 M 20
 于敏霞 1970-08-28 F 38
 金梓涵 2001-05-05 F 40
999999201204|石桥乡云台村|4组2号
 石凤山 1934-11-23 M 02 alone,card,low-income
`

// Phone numbers use a prefix and bank cards an issuer that are not assigned.
const (
	phonePrefix = "1600000"
	cardPrefix  = "62999900"
)

// banks are the banks of social security cards: codes of the list "bank".
var banks = []string{"314", "103", "403"}

// makeRoster returns roster.json.
func makeRoster() ([]byte, error) {
	r := people.Roster{V: people.Version, Source: "公安人口库", AsOf: "2026-11-01"}
	var home *people.Household
	var address string
	seqs := map[string]int{}
	for _, line := range strings.Split(strings.TrimSpace(homes), "\n") {
		if !strings.HasPrefix(line, " ") {
			f := strings.Split(line, "|")
			address = f[1] + f[2]
			r.Households = append(r.Households, people.Household{ID: fmt.Sprintf("h%02d", len(r.Households)+1), Division: f[0], Address: address})
			home = &r.Households[len(r.Households)-1]
			continue
		}
		f := strings.Fields(line)
		birth, err := time.Parse(time.DateOnly, f[1])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", line, err)
		}
		// Sequences of one birth day: 1, 3, 5 … for men, 2, 4, 6 … for women.
		key := f[1] + f[2]
		seqs[key]++
		seq := seqs[key]*2 - 1
		if f[2] == "F" {
			seq++
		}
		number, err := ident.MakeID("999999", birth, seq)
		if err != nil {
			return nil, err
		}
		n := len(r.Persons) + 1
		p := people.Person{ID: fmt.Sprintf("p%03d", n), Household: home.ID, Elements: map[string]people.Element{
			people.Name:       {Value: f[0], Locked: true},
			people.IDNo:       {Value: number, Locked: true},
			people.RegDiv:     {Value: home.Division, Locked: true},
			people.Registered: {Value: address, Locked: true},
			people.ResDiv:     {Value: home.Division, Source: "村级台账", AsOf: "2026-10-15"},
			people.Residence:  {Value: address, Source: "村级台账", AsOf: "2026-10-15"},
			people.Ethnic:     {Value: ethnicOf(f[0]), Locked: true},
		}}
		if age := ident.Age(birth, time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)); age >= 14 && age < 90 {
			p.Elements[people.Phone] = people.Element{Value: fmt.Sprintf("%s%04d", phonePrefix, 1000+n*37), Source: "村级台账", AsOf: "2026-10-15"}
		}
		for _, tag := range strings.Split(strings.Join(f[4:], ""), ",") {
			switch tag {
			case "":
			case "card":
				p.Elements[people.BankCard] = people.Element{Value: card(n), Source: "人社社保卡库", AsOf: "2026-11-01"}
				p.Elements[people.Bank] = people.Element{Value: banks[n%len(banks)], Source: "人社社保卡库", AsOf: "2026-11-01"}
			default:
				p.Tags = append(p.Tags, tag)
			}
		}
		home.Members = append(home.Members, people.Member{Person: p.ID, Relation: f[3]})
		r.Persons = append(r.Persons, p)
	}
	addContacts(&r)
	if faults := r.Check(); len(faults) > 0 {
		return nil, fmt.Errorf("roster: %v", faults)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(r); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// addContacts names for everybody of 75 and more the youngest adult of the household as the person to call.
func addContacts(r *people.Roster) {
	for i := range r.Persons {
		p := &r.Persons[i]
		if p.Number().Birth.Year() > 1951 {
			continue
		}
		var best *people.Person
		for k := range r.Persons {
			q := &r.Persons[k]
			if q.Household != p.Household || q == p || q.Number().Birth.Year() > 2006 {
				continue
			}
			if best == nil || q.Number().Birth.After(best.Number().Birth) {
				best = q
			}
		}
		if best != nil {
			p.Elements[people.ContactName] = people.Element{Value: best.Name(), Source: "村级台账", AsOf: "2026-10-15"}
		}
	}
}

func ethnicOf(name string) string {
	if strings.ContainsRune(name, ident.Dot) {
		return "05"
	}
	return "01"
}

// card returns a card number of 19 digits with a right Luhn digit.
func card(n int) string {
	body := fmt.Sprintf("%s%010d", cardPrefix, 2000000000+n*7919)
	for d := byte('0'); d <= '9'; d++ {
		if c := body + string(d); ident.CheckBankCard(c) == nil {
			return c
		}
	}
	panic("no Luhn digit fits") // one always does
}
