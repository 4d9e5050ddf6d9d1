package pdf

import (
	"bytes"
	"fmt"
	"strconv"
)

// grow replaces n bytes at from, inside a stream, by others, and puts the stream's length and the offsets behind it right
// (ISO 32000-1 §7.5.4).
func grow(raw []byte, from, n int, by []byte) ([]byte, error) {
	const length = "/Length "
	at := bytes.LastIndex(raw[:from], []byte(length))
	if at < 0 {
		return nil, fmt.Errorf("pdf: stream without length")
	}
	at += len(length)
	end := at
	for end < len(raw) && raw[end] >= '0' && raw[end] <= '9' {
		end++
	}
	was, err := strconv.Atoi(string(raw[at:end]))
	if err != nil {
		return nil, fmt.Errorf("pdf: length of a stream: %w", err)
	}
	var out bytes.Buffer
	out.Write(raw[:at])
	out.WriteString(strconv.Itoa(was + len(by) - n))
	out.Write(raw[end:from])
	out.Write(by)
	out.Write(raw[from+n:])
	return offsets(out.Bytes(), from, out.Len()-len(raw))
}

// offsets moves the entries of the table that point behind from by so many bytes.
func offsets(raw []byte, from, by int) ([]byte, error) {
	const table, trailer, start = "\nxref\n", "trailer", "startxref\n"
	at := bytes.LastIndex(raw, []byte(table))
	if at < 0 {
		return nil, fmt.Errorf("pdf: no table of offsets")
	}
	at++
	stop := bytes.Index(raw[at:], []byte(trailer))
	if stop < 0 {
		return nil, fmt.Errorf("pdf: no trailer")
	}
	var out bytes.Buffer
	out.Write(raw[:at])
	for _, line := range bytes.SplitAfter(raw[at:at+stop], []byte("\n")) {
		var offset, generation int
		if k, err := fmt.Sscanf(string(line), "%010d %05d n", &offset, &generation); err == nil && k == 2 && offset > from && bytes.Contains(line, []byte(" n")) {
			moved := fmt.Sprintf("%010d", offset+by)
			out.WriteString(moved)
			out.Write(line[len(moved):])
			continue
		}
		out.Write(line)
	}
	rest := raw[at+stop:]
	k := bytes.LastIndex(rest, []byte(start))
	if k < 0 {
		return nil, fmt.Errorf("pdf: no startxref")
	}
	out.Write(rest[:k+len(start)])
	out.WriteString(strconv.Itoa(at))
	out.WriteString("\n%%EOF\n")
	return out.Bytes(), nil
}
