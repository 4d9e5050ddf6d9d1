package receiptpage

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"bianmin/offline/receipt"
	"bianmin/offline/vault"
)

// The page calls no link genuine in which one character is another: every other character in every place of twenty receipts
// (without FULL, one in every place of two).
func TestPageRefusesChangedCharacters(t *testing.T) {
	count, picks := 2, 1
	if os.Getenv("BIANMIN_FULL") == "1" {
		count, picks = 20, 0 // all
	}
	s := vault.SM(nil)
	root, _ := s.GenerateKey()
	station, _ := s.GenerateKey()
	platform, _ := s.GenerateKey()
	now := time.Unix(1795300000, 0)
	data, err := receipt.SignKeyList(root, receipt.KeyList{County: "999999", Version: 1, At: now.Unix(), Keys: []receipt.Key{
		{Public: station.Public(), Stage: receipt.StageStation, Device: 7}, {Public: platform.Public(), Stage: receipt.StagePlatform},
	}})
	if err != nil {
		t.Fatal(err)
	}
	input := struct {
		Root  string   `json:"root"`
		Lists []string `json:"lists"`
		Hosts []string `json:"hosts"`
		Now   int64    `json:"now"`
		Links []string `json:"links"`
		Picks []int    `json:"picks"`
	}{Root: hex.EncodeToString(root.Public()), Lists: []string{hex.EncodeToString(data)}, Hosts: []string{"fw.example.gov.cn"}, Now: now.Unix()}
	for i := range count {
		key, payload := station, receipt.Stage1{
			Device: 7, Seq: uint64(1 + i*99991), At: 1795298520 + int64(i), Quality: uint8(i % 3), Item: "城乡居民基本养老保险参保登记变更", Name: "阿依古丽·买*提",
			Prev: [8]byte{byte(i)}, Due: int32(20799 * (i % 2)),
		}.Payload()
		if i%4 == 3 {
			key, payload = platform, receipt.Stage2{Device: 7, Seq: uint64(i), OfficialNo: fmt.Sprintf("99999912%035d", i), At: 1795298530, Item: "高龄津贴"}.Payload()
		}
		env, err := receipt.Sign(key, payload)
		if err != nil {
			t.Fatal(err)
		}
		input.Links = append(input.Links, receipt.Link("fw.example.gov.cn", env))
		input.Picks = append(input.Picks, picks)
	}
	stdin, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Tried   int            `json:"tried"`
		States  map[string]int `json:"states"`
		Genuine []string       `json:"genuine"`
	}
	if err := json.Unmarshal(node(t, stdin, "test/mutate.mjs"), &got); err != nil {
		t.Fatal(err)
	}
	least := count * 250
	if picks == 0 {
		least *= 40
	}
	if len(got.Genuine) > 0 || got.Tried < least || got.States["forged"] == 0 {
		t.Errorf("%d tried, %v; genuine: %v", got.Tried, got.States, got.Genuine)
	}
	t.Logf("%d links with one other character: %v", got.Tried, got.States)
}
