package speech

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os/exec"
	"strings"
	"sync"
	"time"
	"unicode"

	"bianmin/assets/prompts"
)

// Line speaks with what there is on the machine. It starts no program before there is something to say.
type Line struct {
	log  *slog.Logger
	find func(program string) (path string, err error)

	mu      sync.Mutex // guards what follows
	set     Settings
	queue   []utterance
	cut     context.CancelFunc // ends what is being said; nil while nothing is
	running bool
	closed  bool
	done    sync.WaitGroup
}

var _ Speaker = (*Line)(nil)

type utterance struct{ lang, text string }

// mostWaiting bounds the queue, in texts: nobody listens to more than a screen.
const mostWaiting = 200

// New returns a Line. log may be nil; it never gets what is said. find finds a program, nil looks in PATH.
func New(log *slog.Logger, find func(program string) (path string, err error)) *Line {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if find == nil {
		find = exec.LookPath
	}
	return &Line{log: log, find: find}
}

// Say adds texts to what is to be said.
func (l *Line) Say(lang string, texts ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.set.Voice == Off {
		return
	}
	for _, t := range texts {
		if t = strings.TrimSpace(t); t != "" && len(l.queue) < mostWaiting {
			l.queue = append(l.queue, utterance{lang, t})
		}
	}
	if !l.running && len(l.queue) > 0 {
		l.running = true
		l.done.Go(l.run)
	}
}

// Cut ends what is being said and forgets what was to follow.
func (l *Line) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget()
}

func (l *Line) forget() {
	clear(l.queue) // the words of the person who has left
	l.queue = nil
	if l.cut != nil {
		l.cut()
	}
}

// Set changes voice, speed and volume.
func (l *Line) Set(s Settings) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.set = s
	if s.Voice == Off {
		l.forget()
	}
}

// Close cuts off and returns when no program of it is left.
func (l *Line) Close() {
	l.mu.Lock()
	l.closed = true
	l.forget()
	l.mu.Unlock()
	l.done.Wait()
}

// run says what waits, and ends when nothing does.
func (l *Line) run() {
	for {
		l.mu.Lock()
		if len(l.queue) == 0 {
			l.running = false
			l.mu.Unlock()
			return
		}
		u, set := l.queue[0], l.set
		l.queue = l.queue[1:]
		ctx, cancel := context.WithCancel(context.Background())
		l.cut = cancel
		l.mu.Unlock()
		if err := l.speak(ctx, u, set); err != nil && ctx.Err() == nil {
			l.log.Warn("not said", slog.Any("cause", err))
		}
		l.mu.Lock()
		l.cut = nil
		l.mu.Unlock()
		cancel()
	}
}

// speak says one text: from recordings when all of it is recorded and the speed is theirs, else with a synthesiser, else
// from recordings at their own speed, else not at all.
func (l *Line) speak(ctx context.Context, u utterance, set Settings) error {
	sound := clips(tongueOf(u.lang, set.Voice), u.text)
	if len(sound) > 0 && set.Speed == 0 {
		if did, err := l.play(ctx, sound, set); did {
			return err
		}
	}
	if did, err := l.synthesise(ctx, u, set); did {
		return err
	}
	if len(sound) > 0 {
		_, err := l.play(ctx, sound, set)
		return err
	}
	return nil
}

func tongueOf(lang string, v Voice) string {
	switch {
	case lang == "en":
		return prompts.English
	case v == Cantonese:
		return prompts.Cantonese
	default:
		return prompts.Mandarin
	}
}

// clips returns the recording of a text, or those of its characters and marks when each is recorded, as numbers are; nil
// when a part is not.
func clips(tongue, text string) [][]int16 {
	if raw, ok := prompts.Find(tongue, strings.TrimRight(text, "。.，, ")); ok {
		if pcm, err := decode(raw); err == nil {
			return [][]int16{pcm}
		}
		return nil
	}
	if tongue == prompts.English {
		return nil
	}
	var out [][]int16
	for _, r := range text {
		if unicode.IsSpace(r) || unicode.IsPunct(r) {
			continue
		}
		raw, ok := prompts.Find(tongue, string(r))
		if !ok {
			return nil
		}
		pcm, err := decode(raw)
		if err != nil {
			return nil
		}
		out = append(out, pcm)
	}
	return out
}

// players take raw sound (16 bits, one channel, 16 kHz) on standard input.
var players = [][]string{
	{"paplay", "--raw", "--format=s16le", "--rate=16000", "--channels=1"},
	{"aplay", "-q", "-t", "raw", "-f", "S16_LE", "-r", "16000", "-c", "1"},
	{"pw-cat", "--playback", "--raw", "--format", "s16", "--rate", "16000", "--channels", "1", "-"},
}

// play plays recordings with the first player there is, and reports whether there is one.
func (l *Line) play(ctx context.Context, sound [][]int16, set Settings) (did bool, err error) {
	for _, p := range players {
		path, err := l.find(p[0])
		if err != nil {
			continue
		}
		var raw bytes.Buffer
		for _, pcm := range sound {
			for _, s := range pcm {
				s >>= -min(0, set.Volume) // each step is half as loud
				raw.Write([]byte{byte(s), byte(uint16(s) >> 8)})
			}
		}
		return true, run(ctx, raw.Bytes(), path, p[1:]...)
	}
	return false, nil
}

// synthesise speaks with espeak-ng, else with speech-dispatcher, and reports whether there is one of them.
func (l *Line) synthesise(ctx context.Context, u utterance, set Settings) (did bool, err error) {
	tongue := tongueOf(u.lang, set.Voice)
	if path, err := l.find("espeak-ng"); err == nil {
		voice, text := tongue, u.text
		if tongue == prompts.Mandarin {
			voice, text = "cmn-latn-pinyin", Pinyin(text)
		}
		speed := fmt.Sprint(145 + 40*set.Speed)
		volume := fmt.Sprint(100 >> -min(0, set.Volume))
		return true, run(ctx, []byte(text+"\n"), path, "-v", voice, "-s", speed, "-a", volume, "--stdin")
	}
	if path, err := l.find("spd-say"); err == nil {
		lang := map[string]string{prompts.Mandarin: "zh", prompts.Cantonese: "yue", prompts.English: "en"}[tongue]
		return true, run(ctx, []byte(u.text+"\n"), path, "--wait", "--pipe-mode", "--language", lang,
			"--rate", fmt.Sprint(40*set.Speed), "--volume", fmt.Sprint(40*set.Volume))
	}
	return false, nil
}

// run runs a program and waits for it. A program that was cut off has a moment to let go of the loudspeaker.
func run(ctx context.Context, in []byte, path string, args ...string) error {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin = bytes.NewReader(in)
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("speech: %s: %w", args0(path), err)
	}
	return nil
}

func args0(path string) string { return path[strings.LastIndexAny(path, `/\`)+1:] }
