package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"bianmin/offline/words"
	"bianmin/sync/gateway"
)

// maxSegment is the largest mirror segment that is read, in bytes; a machine begins the next one at 16 MiB.
const maxSegment = 64 << 20

// runImport takes the mirror of a machine that cannot be opened any more.
func runImport(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	paths, err := parse(fs, args, 1, 1<<10)
	if err != nil {
		return err
	}
	var files []gateway.MirrorFile
	for _, path := range paths {
		more, err := mirrorFiles(path)
		if err != nil {
			return err
		}
		files = append(files, more...)
	}
	if len(files) == 0 {
		return words.New("gateway.noMirror", gateway.ErrNotFound)
	}
	return t.with(ctx, func(g *gateway.Gateway) error {
		rep, err := g.Import(ctx, files)
		if perr := t.print(rep, func(w io.Writer) { t.importText(w, rep) }); err == nil {
			err = perr
		}
		if err == nil && len(rep.Refused) > 0 {
			return exitError{exitForged}
		}
		return err
	})
}

// mirrorFiles reads a segment file, or all of a folder: the folder mirror, or a machine's whole folder.
func mirrorFiles(path string) ([]gateway.MirrorFile, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, words.New("gateway.noFile", gateway.ErrNotFound, "name", filepath.Base(path))
	}
	var out []gateway.MirrorFile
	read := func(path, name string) error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		data, err := io.ReadAll(io.LimitReader(f, maxSegment+1))
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
		if len(data) > maxSegment {
			return fmt.Errorf("import: %s is larger than %d bytes: not a mirror segment", name, maxSegment)
		}
		out = append(out, gateway.MirrorFile{Name: name, Data: data})
		return nil
	}
	if !info.IsDir() {
		return out, read(path, filepath.Base(path))
	}
	err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(d.Name(), ".bmp") {
			return err
		}
		name, err := filepath.Rel(path, p)
		if err != nil {
			return err
		}
		return read(p, filepath.ToSlash(name))
	})
	if err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	return out, nil
}

func (t *tool) importText(w io.Writer, rep gateway.ImportReport) {
	for _, d := range rep.Devices {
		fmt.Fprintf(w, t.say("设备 %d（%s）：%d 帧，新收 %d 条记录（办件 %d），已有 %d 条，现到第 %d 条\n",
			"device %d (%s): %d frames, %d new records (%d cases), %d held before, now at record %d\n"),
			d.Device, d.Station, d.Frames, d.New, d.Cases, d.Held, d.Seq)
		if d.Carried > 0 {
			fmt.Fprintf(w, t.say("  分支上的记录 %d 条，已转入新的设备号（见 journal branches）\n", "  %d records of a branch, carried to a number of its own (see journal branches)\n"), d.Carried)
		}
		if len(d.Lost) > 0 {
			fmt.Fprintf(w, t.say("  无法恢复的记录：%v\n", "  records that cannot be recovered: %v\n"), d.Lost)
		}
		if d.CutTo != d.CutFrom {
			fmt.Fprintf(w, t.say("  设备已停用，认可的记录由第 %d 条移至第 %d 条\n", "  the device is withdrawn; records now stand up to %[2]d instead of %[1]d\n"), d.CutFrom, d.CutTo)
		}
	}
	for _, r := range rep.Refused {
		fmt.Fprintf(w, t.say("未收：%s 偏移 %d，%d 字节", "refused: %s at %d, %d bytes"), r.File, r.Offset, r.Bytes)
		if r.Device != 0 {
			fmt.Fprintf(w, t.say("，设备 %d 记录 %d", ", device %d record %d"), r.Device, r.Seq)
		}
		fmt.Fprintf(w, ": %s %s\n", t.importReason(r.Reason), r.Detail)
	}
}

func (t *tool) importReason(key string) string {
	switch key {
	case gateway.ImportForeign:
		return t.say("本平台没有这台设备", "of a device that this platform does not know")
	case gateway.ImportForged:
		return t.say("不是该设备签名的", "not signed by that device")
	case gateway.ImportSealed:
		return t.say("本平台的密钥打不开", "does not open with this platform's keys")
	case gateway.ImportDict:
		return t.say("缺少压缩字典，请先发布相应资料包", "needs a dictionary: publish its pack first")
	case gateway.ImportForked:
		return t.say("与平台已有记录不一致，已留作证据", "contradicts what the platform holds; kept as evidence")
	case gateway.ImportWaiting:
		return t.say("缺少前面的记录，请连同前一个镜像文件一起导入", "the records before it are missing: import it together with the segment before")
	}
	return t.say("数据已损坏", "damaged")
}
