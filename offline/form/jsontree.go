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

// readJSON reads one JSON value strictly: valid UTF-8, no member twice, nothing behind it, bounded depth. Numbers stay
// json.Number.
func readJSON(data []byte) (jsonDoc, error) {
	data = bytes.TrimPrefix(data, bom)
	if !utf8.Valid(data) {
		return jsonDoc{}, errors.New("not valid UTF-8")
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
			err = errors.New("more than one JSON value")
		}
	}
	if err != nil {
		line := r.line()
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			line = r.lineAt(syntax.Offset)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("JSON ends too early")
		}
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
		return nil, fmt.Errorf("nested deeper than %d", maxJSONDepth)
	}
	if r.values++; r.values > maxJSONValues {
		return nil, fmt.Errorf("more than %d values", maxJSONValues)
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
			return nil, errors.New("object member without a name")
		}
		if _, twice := m[key]; twice {
			return nil, fmt.Errorf("member %q stands twice", key)
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
