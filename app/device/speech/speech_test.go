package speech

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bianmin/assets/prompts"
	"bianmin/assets/translations"
)

func TestAmountsAndNumbersAreRead(t *testing.T) {
	for fen, want := range map[int64]string{
		12340: "一百二十三元四角", 500: "五元整", 505: "五元零五分", 5: "五分", 55: "五角五分", 0: "零元整", 1001000: "一万零一十元整",
		100000: "一千元整", 1200: "十二元整", 11000: "一百一十元整", 10500000: "十万五千元整", 123456789: "一百二十三万四千五百六十七元八角九分",
		100000000000: "十亿元整", 10000000500: "一亿零五元整", -100: "负一元整",
	} {
		if got := Amount(fen); got != want {
			t.Errorf("%d: %s, want %s", fen, got, want)
		}
	}
	for in, want := range map[string]string{
		"每月 1,200.50 元":           "每月一千二百元五角",
		"¥80":                     "八十元整",
		"电话 13900000001":          "电话 一三九零零零零零零零一",
		"回执编号 2026-0000-0018":     "回执编号 二零二六，零零零零，零零一八",
		"999999194102030021":      "九九九九九九一九四一零二零三零零二一",
		"收件时间 2026-11-25":         "收件时间 二零二六年十一月二十五日",
		"第 3 页，共 12 页":            "第 3 页，共 12 页",
		"99999919410203002X":      "九九九九九九一九四一零二零三零零二 X",
		"公安人口库 · 2026-11-01\n已保存": "公安人口库 ， 二零二六年十一月一日，已保存",
	} {
		if got := Speakable("zh", in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := Speakable("en", "Receipt number 2026-0000-0018"); got != "Receipt number 2 0 2 6, 0 0 0 0, 0 0 1 8" {
		t.Errorf("in English: %q", got)
	}
}

func TestEveryPhraseIsRecordedInEveryTongue(t *testing.T) {
	size := 0
	for _, p := range prompts.Phrases() {
		for tongue, words := range map[string]string{prompts.Mandarin: p.Chinese, prompts.Cantonese: p.Chinese, prompts.English: p.English} {
			raw, ok := prompts.Find(tongue, words)
			if !ok {
				t.Errorf("%s in %s is not recorded", p.ID, tongue)
				continue
			}
			size += len(raw)
			pcm, err := decode(raw)
			if err != nil {
				t.Errorf("%s in %s: %v", p.ID, tongue, err)
				continue
			}
			seconds, rms, peak := float64(len(pcm))/rate, loudness(pcm), slices.Max(pcm)
			if seconds < 0.1 || seconds > 9 || rms < 0.05 || rms > 0.25 || peak > 30000 || slices.Min(pcm) < -30000 {
				t.Errorf("%s in %s: %.2f s, loudness %.3f, peak %d", p.ID, tongue, seconds, rms, peak)
			}
			// It begins and ends at once, and says something for each syllable: about 0.1 s at the least.
			if a, b := loudness(pcm[:rate/10]), loudness(pcm[len(pcm)-rate/5:]); a < 0.005 || b < 0.003 {
				t.Errorf("%s in %s is silent at an end: %.4f, %.4f", p.ID, tongue, a, b)
			}
			if n := len([]rune(p.Chinese)); tongue != prompts.English && seconds < 0.1*float64(n) {
				t.Errorf("%s in %s: %.2f s for %d characters", p.ID, tongue, seconds, n)
			}
		}
	}
	if size > 2<<20 {
		t.Errorf("the recordings have %d kB", size>>10)
	}
	if clips(prompts.Mandarin, Amount(12340)) == nil || clips(prompts.Cantonese, chineseDigits("2026-0018")) == nil {
		t.Error("amounts and numbers cannot be put together from recordings")
	}
	if clips(prompts.Mandarin, "清河镇") != nil {
		t.Error("words that are not recorded have a recording")
	}
}

const rate = 16000

// loudness is the root of the mean square, of full scale.
func loudness(pcm []int16) float64 {
	sum := 0.0
	for _, s := range pcm {
		sum += float64(s) * float64(s)
	}
	return math.Sqrt(sum/float64(max(len(pcm), 1))) / 32768
}

// envelope is the loudness of each 20 ms.
func envelope(pcm []int16) (out []float64) {
	for part := range slices.Chunk(pcm, rate/50) {
		out = append(out, loudness(part))
	}
	return out
}

// alike is the correlation of two envelopes over their common length.
func alike(a, b []float64) float64 {
	n := min(len(a), len(b))
	var ma, mb, ab, aa, bb float64
	for i := range n {
		ma, mb = ma+a[i]/float64(n), mb+b[i]/float64(n)
	}
	for i := range n {
		ab, aa, bb = ab+(a[i]-ma)*(b[i]-mb), aa+(a[i]-ma)*(a[i]-ma), bb+(b[i]-mb)*(b[i]-mb)
	}
	return ab / math.Sqrt(aa*bb)
}

// Every phrase that is recorded is one that the program says: its words are a text of the screens.
func TestEveryRecordingIsOfSomethingThatIsSaid(t *testing.T) {
	texts, err := translations.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range prompts.Phrases() {
		if len([]rune(p.Chinese)) == 1 { // a digit, or a word of amounts
			continue
		}
		for lang, words := range map[string]string{"zh": p.Chinese, "en": p.English} {
			if !slices.ContainsFunc(texts.Keys(lang), func(key string) bool { return texts.T(lang, key, nil) == words }) {
				t.Errorf("%s: nothing says %q", p.ID, words)
			}
		}
	}
}

// The script makes the recordings that are here, with the synthesiser that LICENCE.txt names. With BIANMIN_FULL=1.
func TestTheScriptMakesTheRecordings(t *testing.T) {
	if os.Getenv("BIANMIN_FULL") == "" {
		t.Log("left out without BIANMIN_FULL=1")
		return
	}
	version, err := exec.Command("espeak-ng", "--version").Output()
	if err != nil || !strings.Contains(string(version), " 1.51 ") {
		t.Logf("not compared: the recordings are made with espeak-ng 1.51; here is %q, %v", version, err)
		return
	}
	dir := t.TempDir()
	cmd := exec.Command("../../../packaging/prompts/build.sh")
	cmd.Env = append(os.Environ(), "BIANMIN_PROMPTS="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	least := 1.0
	for _, p := range prompts.Phrases() {
		for tongue, words := range map[string]string{prompts.Mandarin: p.Chinese, prompts.Cantonese: p.Chinese, prompts.English: p.English} {
			kept, _ := prompts.Find(tongue, words)
			fresh, err := os.ReadFile(filepath.Join(dir, tongue, p.ID+".wav"))
			if err != nil {
				t.Fatal(err)
			}
			a, err := decode(kept)
			if err != nil {
				t.Fatal(err)
			}
			b, err := decode(fresh)
			if err != nil {
				t.Fatal(err)
			}
			same := alike(envelope(a), envelope(b))
			least = min(least, same)
			if len(a) != len(b) || same < 0.99 {
				t.Errorf("%s in %s: %d and %d samples, alike %.4f", p.ID, tongue, len(a), len(b), same)
			}
		}
	}
	t.Logf("the least alike is %.4f", least)
}

func FuzzDecode(f *testing.F) {
	raw, _ := prompts.Find(prompts.Mandarin, "请签名")
	f.Add(raw)
	f.Add([]byte("RIFF\x00\x00\x00\x00WAVEfmt "))
	f.Fuzz(func(t *testing.T, wav []byte) {
		if pcm, err := decode(wav); err == nil && len(pcm) > 2*len(wav) {
			t.Errorf("%d samples from %d bytes", len(pcm), len(wav))
		}
	})
}

func FuzzSpeakable(f *testing.F) {
	f.Add("¥1,234.56 2026-11-25 13900000001")
	f.Fuzz(func(t *testing.T, text string) {
		Speakable("zh", text)
		Speakable("en", text)
	})
}

// bench is a folder of programs that write down what they are given, in place of the machine's.
type bench struct {
	t   *testing.T
	dir string
}

// with makes a program that appends its arguments and what it reads to the file said; hold makes it wait for ever after
// that.
func (b *bench) with(hold bool, names ...string) *bench {
	b.t.Helper()
	for _, n := range names {
		script := fmt.Sprintf("#!/bin/sh\n{ echo \"%s $*\"; head -c 400 | tr -d '\\000'; echo; } >>%q\n", n, b.said())
		if hold {
			script += "exec sleep 1000\n"
		}
		if err := os.WriteFile(filepath.Join(b.dir, n), []byte(script), 0o700); err != nil {
			b.t.Fatal(err)
		}
	}
	return b
}

func (b *bench) said() string { return filepath.Join(b.dir, "said") }

func (b *bench) find(program string) (string, error) {
	path := filepath.Join(b.dir, program)
	if _, err := os.Stat(path); err != nil {
		return "", errors.New("not here")
	}
	return path, nil
}

// await returns what was said as soon as it holds words.
func (b *bench) await(words string) string {
	b.t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
		if raw, err := os.ReadFile(b.said()); err == nil && strings.Contains(string(raw), words) {
			return string(raw)
		}
		<-time.After(5 * time.Millisecond)
	}
	raw, _ := os.ReadFile(b.said())
	b.t.Fatalf("%q is not said; said is %q", words, raw)
	return ""
}

func newBench(t *testing.T) (*bench, *Line) {
	b := &bench{t, t.TempDir()}
	l := New(nil, b.find)
	t.Cleanup(l.Close)
	return b, l
}

func TestTheSynthesiserGetsWhatIsNotRecorded(t *testing.T) {
	b, l := newBench(t)
	b.with(false, "espeak-ng")
	l.Say("zh", "清河镇柳树村")
	got := b.await("qing1")
	if !strings.Contains(got, "-v cmn-latn-pinyin -s 145 -a 100 --stdin") || strings.Contains(strings.Split(got, "\n")[0], "qing") {
		t.Errorf("said %q", got)
	}
	l.Set(Settings{Voice: Cantonese, Speed: -1, Volume: -1})
	l.Say("zh", "请签名")
	if got := b.await("请签名"); !strings.Contains(got, "-v yue -s 105 -a 50") {
		t.Errorf("in Cantonese, slowly: %q", got)
	}
	l.Say("en", "Liushu Village")
	if got := b.await("Liushu"); !strings.Contains(got, "-v en") {
		t.Errorf("in English: %q", got)
	}
}

func TestRecordingsArePlayed(t *testing.T) {
	b, l := newBench(t)
	b.with(false, "aplay", "espeak-ng")
	l.Say("zh", "请签名", "十二元整")
	b.await("aplay -q -t raw -f S16_LE -r 16000 -c 1")
	l.Say("zh", "清河镇")
	if got := b.await("qing1"); strings.Count(got, "aplay") != 2 || strings.Count(got, "espeak-ng") != 1 {
		t.Errorf("said %q", got)
	}
}

func TestSpeechDispatcherIsTheThird(t *testing.T) {
	b, l := newBench(t)
	b.with(false, "spd-say")
	l.Say("zh", "清河镇")
	if got := b.await("清河镇"); !strings.Contains(got, "--wait --pipe-mode --language zh") {
		t.Errorf("said %q", got)
	}
}

func TestSilentWhereThereIsNothing(t *testing.T) {
	_, l := newBench(t)
	l.Say("zh", "请签名", "清河镇")
	l.Close() // waits for what is being said
	l.Say("zh", "请签名")
	if len(l.queue) != 0 {
		t.Error("a closed line takes words")
	}
}

func TestNothingIsSaidWhenOff(t *testing.T) {
	b, l := newBench(t)
	b.with(false, "espeak-ng", "aplay")
	l.Set(Settings{Voice: Off})
	l.Say("zh", "清河镇")
	l.Set(Settings{})
	l.Say("zh", "柳树村")
	if got := b.await("liu3"); strings.Contains(got, "qing") {
		t.Errorf("said %q", got)
	}
}

// A voice that would never end is cut off at once, and what was to follow is forgotten.
func TestCutEndsWhatIsSaidAndForgetsTheRest(t *testing.T) {
	b, l := newBench(t)
	b.with(true, "espeak-ng")
	l.Say("zh", "清河镇", "刘玉珍", "柳树村")
	b.await("qing1")
	l.Cut()
	b.with(false, "espeak-ng")
	l.Say("zh", "便民")
	if got := b.await("bian4"); strings.Contains(got, "liu") {
		t.Errorf("said %q", got)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) != 0 {
		t.Errorf("%d texts wait", len(l.queue))
	}
}

func TestSayingNeverBlocksAndIsBounded(t *testing.T) {
	b, l := newBench(t)
	b.with(true, "espeak-ng")
	for range 3 * mostWaiting {
		l.Say("zh", "清河镇")
	}
	l.mu.Lock()
	n := len(l.queue)
	l.mu.Unlock()
	if n > mostWaiting {
		t.Errorf("%d texts wait", n)
	}
}
