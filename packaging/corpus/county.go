package corpus

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"testing/fstest"

	"bianmin/offline/people"
)

// County is a county's folder with another roster in it.
func County(base fs.FS, r *people.Roster) (fs.FS, error) {
	var data bytes.Buffer
	if err := json.NewEncoder(&data).Encode(r); err != nil {
		return nil, fmt.Errorf("corpus: %w", err)
	}
	out := fstest.MapFS{}
	err := fs.WalkDir(base, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(base, path)
		out[path] = &fstest.MapFile{Data: b, Mode: 0o444}
		return err
	})
	out["roster.json"] = &fstest.MapFile{Data: data.Bytes(), Mode: 0o444}
	return out, err
}
