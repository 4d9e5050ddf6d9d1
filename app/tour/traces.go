package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf16"

	"bianmin/app/cli"
	"bianmin/assets/county"
)

// personal returns every name, number, telephone and address of the sample county's roster, and what the tour typed.
func personal() ([]string, error) {
	b, err := fs.ReadFile(county.FS(), "roster.json")
	if err != nil {
		return nil, err
	}
	var roster struct {
		Persons []struct {
			Elements map[string]struct{ Value string }
		}
	}
	if err := json.Unmarshal(b, &roster); err != nil {
		return nil, err
	}
	out := []string{"刘建军", "13900000001", "13900000007", "1390000000"}
	for _, p := range roster.Persons {
		for name, e := range p.Elements {
			switch name {
			case "name", "idno", "phone", "bankcard", "hukouAddress", "liveAddress":
				out = append(out, e.Value)
			}
		}
	}
	return out, nil
}

// forms returns a text as UTF-8 and UTF-16 bytes of both orders.
func forms(s string) [][]byte {
	out := [][]byte{[]byte(s)}
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		var b []byte
		for _, u := range utf16.Encode([]rune(s)) {
			b = order.AppendUint16(b, u)
		}
		out = append(out, b)
	}
	return out
}

// nothingPersonal searches every byte the machine left, logs included. The gateway's own folder is not part of it.
func (j *journey) nothingPersonal() error {
	canaries, err := personal()
	if err != nil {
		return err
	}
	j.stop()
	var files, size int
	found := func(dir string) (hits []string, err error) {
		err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			files, size = files+1, size+len(data)
			for _, c := range canaries {
				for _, f := range forms(c) {
					if bytes.Contains(data, f) {
						hits = append(hits, filepath.Base(path)+": "+c[:3]+"…")
					}
				}
			}
			return nil
		})
		return hits, err
	}
	// The search itself must be able to find: one planted name.
	planted := filepath.Join(j.work, "planted")
	if err := os.MkdirAll(planted, 0o700); err != nil {
		return err
	}
	for i, f := range forms(person) {
		if err := os.WriteFile(filepath.Join(planted, fmt.Sprint(i)), append([]byte("x"), f...), 0o600); err != nil {
			return err
		}
	}
	if hits, err := found(planted); err != nil || len(hits) != 3 {
		return fmt.Errorf("the search found %d of 3 planted names: %w", len(hits), err)
	}
	files, size = 0, 0
	hits, err := found(j.data())
	if err != nil {
		return err
	}
	j.report.figure("files", files)
	j.report.figure("bytes", size)
	j.report.figure("texts searched", len(canaries)*3)
	if len(hits) > 0 {
		return errors.New("found in the folder: " + strings.Join(hits, ", "))
	}
	return nil
}

// damaged changes one byte of a record in a copy of the folder and asks doctor.
func (j *journey) damaged() error {
	j.stop()
	whole := j.data()
	hurt := filepath.Join(j.work, "hurt")
	if err := copyFolder(whole, hurt); err != nil {
		return err
	}
	if err := j.expect(cli.ExitOK, "All is sound", "doctor"); err != nil {
		return err
	}
	db := filepath.Join(hurt, "store.db")
	data, err := os.ReadFile(db)
	if err != nil {
		return err
	}
	// The submission is the largest sealed value: a byte in the middle of the first half of the file's used pages will
	// do, as long as doctor names a record. Try places until one lies inside a live value.
	for at := len(data) / 4; at < len(data); at += 997 {
		changed := bytes.Clone(data)
		changed[at] ^= 0x20
		if err := os.WriteFile(db, changed, 0o600); err != nil {
			return err
		}
		out, code, err := j.commandOn(hurt, "doctor", "--json")
		if err != nil {
			return err
		}
		if code == cli.ExitDamaged {
			var rep struct {
				Faults []struct {
					Where string
					Seq   uint64
					Kind  string
				}
			}
			if err := json.Unmarshal([]byte(out), &rep); err != nil {
				return err
			}
			if len(rep.Faults) > 0 && rep.Faults[0].Seq != 0 {
				j.report.figure("fault", rep.Faults[0])
				return nil
			}
		}
	}
	return errors.New("no byte changed by hand was named")
}
