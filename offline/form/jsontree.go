package form

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of a JSON text. The largest form has some ten thousand values, the longest answers as many numbers of a
// signature's strokes; each is held with its line, so a few megabytes of commas would become hundreds.
const (
	maxJSONDepth  = 32
	maxJSONValues = 200_000
)

var bom = []byte("\xef\xbb\xbf")

// jsonDoc is a parsed JSON text that remembers the line of every value, by JSON pointer.
type jsonDoc struct {
	root    any
	lines   map[string]int
	errLine int
}

type jsonReader struct {
	dec    *json.Decoder
	starts []int64 // offset of each line's first byte
	lines  map[string]int
	values int
}

// jsonFault is why a text is not the JSON that is needed: what kind of fault, in both languages, and where it lies.
type jsonFault struct {
	what  Text
	at    int   // the character it was noticed at, from 1; 0 is nowhere in particular
	cause error // of package json; may be nil
}

// Error returns the kind of fault in English, for logs and who writes forms.
func (f *jsonFault) Error() string {
	if f.cause != nil {
		return f.what.EN + ": " + f.cause.Error()
	}
	return f.what.EN
}

func (f *jsonFault) Unwrap() error { return f.cause }

// reason returns the kind of fault and its place, for people.
func (f *jsonFault) reason() Text {
	if f.at == 0 {
		return f.what
	}
	return Text{ZH: fmt.Sprintf("第 %d 个字符处，%s", f.at, f.what.ZH), EN: fmt.Sprintf("%s, at character %d", f.what.EN, f.at)}
}

var (
	jsonUTF8   = Text{"文字编码不是 UTF-8", "not valid UTF-8"}
	jsonMore   = Text{"后面还有多余的内容", "more than one JSON value"}
	jsonEarly  = Text{"内容不完整", "JSON ends too early"}
	jsonSyntax = Text{"写法不对", "not JSON"}
	jsonObject = Text{"应为花括号 { } 括起的一组答案", "not an object in braces { }"}
	jsonNoName = Text{"有一项没有名称", "object member without a name"}
)

// syntaxFault says where data stops being JSON; err is what the reader met.
func syntaxFault(data []byte, err error) *jsonFault {
	var all json.RawMessage
	var syntax *json.SyntaxError
	if whole := json.Unmarshal(data, &all); whole != nil {
		err = whole
	}
	f := &jsonFault{what: jsonSyntax, cause: err}
	if errors.As(err, &syntax) {
		f.at = max(1, utf8.RuneCount(data[:min(int(syntax.Offset), len(data))]))
	}
	return f
}

// readJSON reads one JSON value strictly: valid UTF-8, no member twice, nothing behind it, bounded depth. Numbers stay
// json.Number.
func readJSON(data []byte) (jsonDoc, error) {
	data = bytes.TrimPrefix(data, bom)
	if !utf8.Valid(data) {
		return jsonDoc{}, &jsonFault{what: jsonUTF8}
	}
	r := &jsonReader{dec: json.NewDecoder(bytes.NewReader(data)), lines: make(map[string]int), starts: []int64{0}}
	r.dec.UseNumber()
	for i, b := range data {
		if b == '\n' {
			r.starts = append(r.starts, int64(i)+1)
		}
	}
	root, err := r.value("", 0)
	if err == nil {
		if _, next := r.dec.Token(); !errors.Is(next, io.EOF) {
			err = &jsonFault{what: jsonMore}
		}
	}
	if err != nil {
		line := r.line()
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			line = r.lineAt(syntax.Offset)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = &jsonFault{what: jsonEarly}
		}
		var known *jsonFault
		if !errors.As(err, &known) {
			known = syntaxFault(data, err)
		}
		if known.at == 0 && known.what != jsonUTF8 {
			known.at = max(1, utf8.RuneCount(data[:min(int(r.dec.InputOffset()), len(data))]))
		}
		err = known
		return jsonDoc{errLine: line}, err
	}
	return jsonDoc{root: root, lines: r.lines}, nil
}

func (r *jsonReader) line() int { return r.lineAt(r.dec.InputOffset()) }

func (r *jsonReader) lineAt(offset int64) int {
	return max(1, sort.Search(len(r.starts), func(i int) bool { return r.starts[i] >= offset }))
}

func (r *jsonReader) value(ptr string, depth int) (any, error) {
	if depth > maxJSONDepth {
		return nil, &jsonFault{what: Text{fmt.Sprintf("嵌套超过 %d 层", maxJSONDepth), fmt.Sprintf("nested deeper than %d", maxJSONDepth)}}
	}
	if r.values++; r.values > maxJSONValues {
		return nil, &jsonFault{what: Text{fmt.Sprintf("超过 %d 个值", maxJSONValues), fmt.Sprintf("more than %d values", maxJSONValues)}}
	}
	tok, err := r.dec.Token()
	if err != nil {
		return nil, err
	}
	r.lines[ptr] = r.line()
	switch tok {
	case json.Delim('{'):
		return r.object(ptr, depth)
	case json.Delim('['):
		list := []any{}
		for r.dec.More() {
			v, err := r.value(ptr+"/"+strconv.Itoa(len(list)), depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := r.dec.Token()
		return list, err
	}
	return tok, nil
}

func (r *jsonReader) object(ptr string, depth int) (any, error) {
	m := make(map[string]any)
	for r.dec.More() {
		tok, err := r.dec.Token()
		if err != nil {
			return nil, err
		}
		key, ok := tok.(string)
		if !ok {
			return nil, &jsonFault{what: jsonNoName}
		}
		if _, twice := m[key]; twice {
			return nil, &jsonFault{what: Text{fmt.Sprintf("“%s”出现了两次", key), fmt.Sprintf("member %q stands twice", key)}}
		}
		if m[key], err = r.value(ptr+"/"+pointerEscape.Replace(key), depth+1); err != nil {
			return nil, err
		}
	}
	_, err := r.dec.Token()
	return m, err
}

var pointerEscape = strings.NewReplacer("~", "~0", "/", "~1")

func pointer(parts []string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteByte('/')
		b.WriteString(pointerEscape.Replace(p))
	}
	return b.String()
}
