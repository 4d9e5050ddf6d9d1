package window

import (
	"cmp"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"bianmin/app/vm"
	"bianmin/offline/pinyin"
)

// entry is one thing in a folder.
type entry struct {
	name string
	dir  bool
	note string // size and day, of files
}

// listFolder returns the folders of dir, then its files with one of the endings exts (all when there are none), by name.
// Hidden ones are left out, and those that cannot be looked at.
func listFolder(t vm.Texts, dir string, exts []string) ([]entry, error) {
	all, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []entry
	for _, e := range all {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		info, err := os.Stat(filepath.Join(dir, e.Name())) // follows links
		if err != nil {
			continue
		}
		switch {
		case info.IsDir():
			out = append(out, entry{name: e.Name(), dir: true})
		case info.Mode().IsRegular() && fits(e.Name(), exts):
			out = append(out, entry{name: e.Name(), note: sizeText(info.Size()) + " · " + vm.DayText(t, info.ModTime())})
		}
	}
	slices.SortFunc(out, func(a, b entry) int {
		if a.dir != b.dir {
			if a.dir {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(sortKey(a.name), sortKey(b.name)), cmp.Compare(a.name, b.name))
	})
	return out, nil
}

// sortKey sorts names as they are read: Chinese ones by pinyin.
func sortKey(name string) string { return strings.Join(pinyin.Full(name), " ") }

func fits(name string, exts []string) bool {
	if len(exts) == 0 {
		return true
	}
	return slices.ContainsFunc(exts, func(ext string) bool { return strings.EqualFold(filepath.Ext(name), ext) })
}

// spot is a folder to begin at.
type spot struct {
	icon, word, dir string
}

// spots returns where files usually are: the home folder, what stands in it, and every stick that is plugged in.
func spots(t vm.Texts, home string) []spot {
	var out []spot
	add := func(icon, word, dir string) {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			out = append(out, spot{icon, word, dir})
		}
	}
	if home != "" {
		add("home", t.T("pick.home"), home)
		for _, dir := range []struct{ key, zh, en string }{{"pick.desktop", "桌面", "Desktop"}, {"pick.downloads", "下载", "Downloads"}, {"pick.pictures", "图片", "Pictures"}} {
			n := len(out)
			if add("folder", t.T(dir.key), filepath.Join(home, dir.zh)); len(out) == n {
				add("folder", t.T(dir.key), filepath.Join(home, dir.en))
			}
		}
	}
	for _, dir := range sticks() {
		add("usb", filepath.Base(dir), dir)
	}
	return out
}

// sticks returns the folders of removable drives.
func sticks() []string {
	if runtime.GOOS == "windows" {
		var out []string
		for c := 'D'; c <= 'Z'; c++ {
			out = append(out, string(c)+`:\`)
		}
		return out
	}
	var out []string
	for _, pattern := range []string{"/media/*/*", "/run/media/*/*"} {
		found, err := filepath.Glob(pattern)
		if err == nil { // the patterns are right; an error is for wrong ones only
			out = append(out, found...)
		}
	}
	return out
}

// sizeText says the size of a file as people read it.
func sizeText(bytes int64) string {
	const k = 1024
	switch {
	case bytes < k*k:
		return strconv.FormatFloat(max(0.1, float64(bytes)/k), 'f', 1, 64) + " KB"
	default:
		return strconv.FormatFloat(float64(bytes)/(k*k), 'f', 1, 64) + " MB"
	}
}
