package form

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"unicode/utf8"

	"bianmin/offline/canon"
)

// ErrValue reports a value outside the closed set that answers are made of.
var ErrValue = errors.New("form: value of a type that answers do not have")

const maxValueDepth = 6

// Values are the answers of one form by field id. They consist of string, int64, bool, []byte, []any and map[string]any
// only, so that equal answers are equal bytes. Which kind of field holds what is said at [Kind].
type Values map[string]any

// MarshalCBOR returns the canonical CBOR of v; ErrValue when v holds anything else than it may.
func (v Values) MarshalCBOR() ([]byte, error) {
	if _, err := clean(map[string]any(v), 0); err != nil {
		return nil, err
	}
	return canon.Marshal(map[string]any(v))
}

// UnmarshalCBOR reads what MarshalCBOR wrote and refuses everything else.
func (v *Values) UnmarshalCBOR(data []byte) error {
	got, err := DecodeValues(data)
	if err != nil {
		return err
	}
	*v = got
	return nil
}

// DecodeValues reads the canonical CBOR of answers. It returns [canon.ErrNotCanonical], ErrValue or a decoding error.
func DecodeValues(data []byte) (Values, error) {
	var raw map[string]any
	if err := canon.Unmarshal(data, &raw); err != nil {
		return nil, fmt.Errorf("decode answers: %w", err)
	}
	got, err := clean(raw, 0)
	if err != nil {
		return nil, err
	}
	return Values(got.(map[string]any)), nil
}

// MarshalJSON writes v with bytes as lower-case hexadecimal text, the form that --answers reads.
func (v Values) MarshalJSON() ([]byte, error) { return json.Marshal(hexed(map[string]any(v))) }

// LogValue keeps answers out of logs.
func (v Values) LogValue() slog.Value { return slog.StringValue("[answers]") }

// LogValue keeps the key and the file's name out of logs.
func (b BlobRef) LogValue() slog.Value { return slog.StringValue("[file]") }

// LogValue keeps handwriting out of logs.
func (s Signature) LogValue() slog.Value { return slog.StringValue("[signature]") }

// Clone returns a deep copy.
func (v Values) Clone() Values {
	out := make(Values, len(v))
	for k, x := range v {
		out[k] = cloneAny(x)
	}
	return out
}

func cloneAny(v any) any {
	switch x := v.(type) {
	case []byte:
		return append([]byte(nil), x...)
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = cloneAny(x[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, e := range x {
			out[k] = cloneAny(e)
		}
		return out
	}
	return v
}

func hexed(v any) any {
	switch x := v.(type) {
	case []byte:
		return hex.EncodeToString(x)
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = hexed(x[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, e := range x {
			out[k] = hexed(e)
		}
		return out
	}
	return v
}

// clean checks that v is made of the allowed types and turns the decoder's maps into map[string]any.
func clean(v any, depth int) (any, error) {
	if depth > maxValueDepth {
		return nil, fmt.Errorf("%w: nested deeper than %d", ErrValue, maxValueDepth)
	}
	switch x := v.(type) {
	case string:
		if !utf8.ValidString(x) {
			return nil, fmt.Errorf("%w: text is not UTF-8", ErrValue)
		}
		return x, nil
	case int64, bool, []byte:
		return x, nil
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			c, err := clean(e, depth+1)
			if err != nil {
				return nil, err
			}
			out[i] = c
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, e := range x {
			c, err := clean(e, depth+1)
			if err != nil {
				return nil, err
			}
			out[k] = c
		}
		return out, nil
	case map[any]any:
		out := make(map[string]any, len(x))
		for k, e := range x {
			name, ok := k.(string)
			if !ok {
				return nil, fmt.Errorf("%w: map key %T", ErrValue, k)
			}
			c, err := clean(e, depth+1)
			if err != nil {
				return nil, err
			}
			out[name] = c
		}
		return out, nil
	}
	return nil, fmt.Errorf("%w: %T", ErrValue, v)
}

// Sizes of a blob reference, in bytes.
const (
	blobHashSize = 32
	blobKeySize  = 16
	maxBlobName  = 200 // characters
)

// BlobRef points to a sealed file in the blob store: what a material field holds.
type BlobRef struct {
	Addr  []byte // SM3 of the sealed bytes, 32 bytes: where the blob is found
	Key   []byte // SM4 key that opens it, 16 bytes
	Plain []byte // SM3 of the plain bytes, 32 bytes
	MIME  string
	Size  int64  // plain bytes
	Name  string // as the file was called, or the name of the camera's page
}

// Value returns the reference as it stands in Values.
func (b BlobRef) Value() map[string]any {
	return map[string]any{"addr": b.Addr, "key": b.Key, "plain": b.Plain, "mime": b.MIME, "size": b.Size, "name": b.Name}
}

// Blobs returns the references in the value of a material field, or the picture in that of a signature.
// It returns ErrValue when v is neither.
func Blobs(v any) ([]BlobRef, error) {
	switch x := v.(type) {
	case nil:
		return nil, nil
	case []any:
		out := make([]BlobRef, 0, len(x))
		for _, e := range x {
			b, err := readBlob(e)
			if err != nil {
				return nil, err
			}
			out = append(out, b)
		}
		return out, nil
	case map[string]any:
		b, err := readBlob(x["png"])
		if err != nil {
			return nil, err
		}
		return []BlobRef{b}, nil
	}
	return nil, fmt.Errorf("%w: %T is no material", ErrValue, v)
}

func readBlob(v any) (BlobRef, error) {
	if b, ok := v.(BlobRef); ok {
		v = b.Value()
	}
	m, ok := v.(map[string]any)
	if !ok {
		return BlobRef{}, fmt.Errorf("%w: blob reference is %T", ErrValue, v)
	}
	var b BlobRef
	for k, e := range m {
		var err error
		switch k {
		case "addr":
			b.Addr, err = byteField(e, blobHashSize)
		case "key":
			b.Key, err = byteField(e, blobKeySize)
		case "plain":
			b.Plain, err = byteField(e, blobHashSize)
		case "mime":
			b.MIME, ok = e.(string)
		case "name":
			b.Name, ok = e.(string)
		case "size":
			b.Size, ok = asInt(e)
		default:
			ok = false
		}
		if err != nil {
			return BlobRef{}, err
		}
		if !ok {
			return BlobRef{}, fmt.Errorf("%w: blob reference member %q", ErrValue, k)
		}
	}
	if b.Addr == nil || b.Key == nil || b.Plain == nil || b.MIME == "" || b.Size <= 0 ||
		utf8.RuneCountInString(b.Name) > maxBlobName {
		return BlobRef{}, fmt.Errorf("%w: blob reference is incomplete", ErrValue)
	}
	return b, nil
}

func byteField(v any, size int) ([]byte, error) {
	var b []byte
	switch x := v.(type) {
	case []byte:
		b = x
	case string:
		d, err := hex.DecodeString(x)
		if err != nil {
			return nil, fmt.Errorf("%w: not hexadecimal", ErrValue)
		}
		b = d
	}
	if len(b) != size {
		return nil, fmt.Errorf("%w: %d bytes instead of %d", ErrValue, len(b), size)
	}
	return b, nil
}

func asInt(v any) (int64, bool) {
	switch x := v.(type) {
	case int64:
		return x, true
	case int:
		return int64(x), true
	case json.Number:
		n, err := x.Int64()
		return n, err == nil
	}
	return 0, false
}

// Limits of a signature: more is no handwriting.
const (
	maxStrokes      = 300
	maxStrokePoints = 20000
	maxReason       = 200
)

// Signature is what a signature field holds.
type Signature struct {
	Strokes  [][]int64 // one list a stroke: x, y, x, y, ... in pad units
	Times    [][]int64 // when each point was drawn, milliseconds since the first of all; nil when it is not known
	Pressure [][]int64 // how hard the pen was pressed at each point, 0 to 1000; nil when the pad does not say
	PNG      BlobRef   // the drawn picture
	By       string    // "self" (default) or "helper"
	Reason   string    // why a helper signed; needed when By is "helper"
}

// Value returns the signature as it stands in Values.
func (s Signature) Value() map[string]any {
	by := s.By
	if by == "" {
		by = "self"
	}
	m := map[string]any{"strokes": numberLists(s.Strokes), "png": s.PNG.Value(), "by": by}
	if s.Times != nil {
		m["times"] = numberLists(s.Times)
	}
	if s.Pressure != nil {
		m["pressure"] = numberLists(s.Pressure)
	}
	if s.Reason != "" {
		m["reason"] = s.Reason
	}
	return m
}

func numberLists(lists [][]int64) []any {
	out := make([]any, len(lists))
	for i, list := range lists {
		l := make([]any, len(list))
		for j, n := range list {
			l[j] = n
		}
		out[i] = l
	}
	return out
}

// ReadSignature reads the value of a signature field. ErrValue when it is none.
func ReadSignature(v any) (Signature, error) {
	if s, ok := v.(Signature); ok {
		v = s.Value()
	}
	m, ok := v.(map[string]any)
	if !ok {
		return Signature{}, fmt.Errorf("%w: signature is %T", ErrValue, v)
	}
	s := Signature{By: "self"}
	for k := range m {
		switch k {
		case "by":
			s.By, ok = m[k].(string)
		case "reason":
			s.Reason, ok = m[k].(string)
		case "strokes", "png", "times", "pressure":
		default:
			ok = false
		}
		if !ok {
			return Signature{}, fmt.Errorf("%w: signature member %q", ErrValue, k)
		}
	}
	if s.By != "self" && s.By != "helper" || s.By == "helper" && s.Reason == "" ||
		utf8.RuneCountInString(s.Reason) > maxReason {
		return Signature{}, fmt.Errorf("%w: signature by %q", ErrValue, s.By)
	}
	png, err := readBlob(m["png"])
	if err != nil {
		return Signature{}, err
	}
	if s.PNG = png; png.MIME != "image/png" {
		return Signature{}, fmt.Errorf("%w: signature picture is %q", ErrValue, png.MIME)
	}
	strokes, _ := m["strokes"].([]any)
	if len(strokes) == 0 || len(strokes) > maxStrokes {
		return Signature{}, fmt.Errorf("%w: %d strokes", ErrValue, len(strokes))
	}
	points := 0
	for _, e := range strokes {
		list, _ := e.([]any)
		points += len(list) / 2
		if len(list) < 2 || len(list)%2 != 0 || points > maxStrokePoints {
			return Signature{}, fmt.Errorf("%w: stroke of %d numbers", ErrValue, len(list))
		}
		st := make([]int64, len(list))
		for i, n := range list {
			if st[i], ok = asInt(n); !ok {
				return Signature{}, fmt.Errorf("%w: stroke with %T", ErrValue, n)
			}
		}
		s.Strokes = append(s.Strokes, st)
	}
	if s.Times, err = s.beside(m["times"], math.MaxInt32, true); err != nil {
		return Signature{}, err
	}
	if s.Pressure, err = s.beside(m["pressure"], MaxPressure, false); err != nil {
		return Signature{}, err
	}
	return s, nil
}

// MaxPressure is the hardest that a pen is pressed.
const MaxPressure = 1000

// beside reads what is known of each point: lists as long as the strokes have points, of numbers from 0 to most; rising ones
// never go back, over all strokes.
func (s Signature) beside(v any, most int64, rising bool) ([][]int64, error) {
	if v == nil {
		return nil, nil
	}
	lists, _ := v.([]any)
	if len(lists) != len(s.Strokes) {
		return nil, fmt.Errorf("%w: %d lists beside %d strokes", ErrValue, len(lists), len(s.Strokes))
	}
	var out [][]int64
	last := int64(0)
	for i, e := range lists {
		list, _ := e.([]any)
		if 2*len(list) != len(s.Strokes[i]) {
			return nil, fmt.Errorf("%w: %d numbers beside a stroke of %d", ErrValue, len(list), len(s.Strokes[i])/2)
		}
		l := make([]int64, len(list))
		for j, n := range list {
			x, ok := asInt(n)
			if !ok || x < 0 || x > most || rising && x < last {
				return nil, fmt.Errorf("%w: number beside a point", ErrValue)
			}
			l[j], last = x, x
		}
		out = append(out, l)
	}
	return out, nil
}
