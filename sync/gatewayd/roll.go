package main

import (
	"context"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"bianmin/offline/casefile"
	"bianmin/offline/receipt"
	"bianmin/offline/vault"
	"bianmin/offline/words"
	"bianmin/sync/gateway"
	"bianmin/sync/wire"
)

func runEnroll(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	station := fs.String("station", "", "服务站区划代码，默认人员最多的站 / division code (the station with most operators)")
	valid := fs.Duration("valid", 72*time.Hour, "有效期 / how long it may be used")
	out := fs.String("out", "", "把登记码写入文件 / also write the code to a file")
	replaces := fs.Uint("replaces", 0, "接替哪台设备 / device whose machine is gone")
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	if *valid <= 0 {
		return usage(keyValue, "flag", "--valid", "value", valid.String())
	}
	return t.with(ctx, func(g *gateway.Gateway) error {
		code, row, err := wire.EnrollCode{}, gateway.CodeRow{}, error(nil)
		if *replaces != 0 {
			if code, row, err = g.NewReplacementCode(ctx, uint32(*replaces), *valid); err == nil && *station != "" && *station != row.Station {
				err = fmt.Errorf("%w: device %d is of station %s", gateway.ErrState, *replaces, row.Station)
			}
			*station = row.Station
		}
		if err != nil {
			return err
		}
		st, err := g.Station(ctx, *station)
		if err != nil {
			return err
		}
		if *replaces == 0 {
			if code, row, err = g.NewCode(ctx, st.Division, *valid); err != nil {
				return err
			}
		}
		if *out != "" {
			if err := os.WriteFile(*out, []byte(code.String()+"\n"), 0o600); err != nil {
				return fmt.Errorf("enroll: %w", err)
			}
		}
		v := map[string]string{"code": code.String(), "station": st.Division, "name": st.Name, "expires": stamp(row.Expires)}
		return t.print(v, func(w io.Writer) {
			fmt.Fprintln(w, code)
			fmt.Fprintf(t.err, t.say("服务站 %s %s，有效至 %s，只能使用一次\n", "station %s %s, valid until %s, for one machine\n"), st.Division, st.Name, t.moment(row.Expires))
		})
	})
}

func runJournalList(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	device := fs.Uint("device", 0, "设备号 / device number")
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	if *device == 0 {
		return usage(keyNeeded, "flags", "--device")
	}
	return t.with(ctx, func(g *gateway.Gateway) error {
		_, head, err := g.Device(ctx, uint32(*device))
		if err != nil {
			return err
		}
		lines, err := g.Journal(ctx, uint32(*device))
		if err != nil {
			return err
		}
		v := struct {
			Device  uint32                `json:"device"`
			Seq     uint64                `json:"seq"`
			Head    string                `json:"head"`
			Cursor  uint64                `json:"cursor"`
			Records []gateway.JournalLine `json:"records"`
			// Branches are the forks of this journal, and the devices that go on with them.
			Branches []gateway.Branch `json:"branches"`
		}{uint32(*device), head.Seq, head.Hash.String(), head.Cursor, lines, nil}
		if v.Branches, err = g.Branches(ctx, uint32(*device)); err != nil {
			return err
		}
		return t.print(v, func(w io.Writer) {
			for _, l := range lines {
				fmt.Fprintf(w, "%d\t%s\t%s\t%s\n", l.Seq, l.Kind, l.Hash, t.when(l.At))
			}
		})
	})
}

func runJournalVerify(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	named := fs.String("against", "", "对照的检查点文件，逗号分开 / checkpoint files to compare with, separated by commas")
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	return t.with(ctx, func(g *gateway.Gateway) error {
		cps, err := t.against(g, *named)
		if err != nil {
			return err
		}
		rep, err := g.VerifyJournals(ctx, cps...)
		if err != nil {
			return err
		}
		err = t.print(rep, func(w io.Writer) {
			fmt.Fprintf(w, t.say("%d 台设备，%d 条记录，%d 条事件，%d 份分叉证据，%d 处异常\n", "%d devices, %d records, %d events, %d packets kept as evidence, %d faults\n"),
				rep.Devices, rep.Records, rep.Events, rep.Evidence, len(rep.Faults))
			for _, f := range rep.Faults {
				fmt.Fprintf(w, "  device %d %s %d: %s\n", f.Device, f.Where, f.Seq, f.Reason)
			}
		})
		if err == nil && len(rep.Faults) > 0 {
			return exitError{exitForged}
		}
		return err
	})
}

// deviceLine is a device as key list prints it.
type deviceLine struct {
	Device   uint32 `json:"device"`
	Station  string `json:"station"`
	Machine  string `json:"machine"`
	KID      string `json:"kid"`
	Enrolled string `json:"enrolled"`
	Records  uint64 `json:"records"`
	Revoked  string `json:"revoked"` // "" in force
	Reason   string `json:"reason"`
	CutSeq   uint64 `json:"cutSeq"`
	CutHash  string `json:"cutHash"`
}

func lineOfDevice(d gateway.DeviceRow, records uint64) deviceLine {
	l := deviceLine{
		Device: d.Device, Station: d.Station, Machine: d.Machine, KID: hex.EncodeToString(vault.PublicKey(d.SignKey).KID()),
		Enrolled: stamp(d.At), Records: records, Revoked: stamp(d.Revoked), Reason: d.Reason, CutSeq: d.CutSeq,
	}
	if d.Revoked != 0 {
		l.CutHash = d.CutHash.String()
	}
	return l
}

func runKeyList(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	g, keys, done, err := t.open(ctx)
	if err != nil {
		return err
	}
	defer done() //nolint:errcheck // only read
	devices, err := g.Devices(ctx)
	if err != nil {
		return err
	}
	lists, err := g.KeyLists(ctx)
	if err != nil {
		return err
	}
	v := struct {
		Root     string            `json:"root"`     // kid of the platform root
		Sign     string            `json:"sign"`     // kid of the key that signs acks, events, receipts
		Seal     []string          `json:"seal"`     // kids of the keys that packets are sealed to, newest first
		TLSPins  []string          `json:"tlsPins"`  // SHA-256 of SubjectPublicKeyInfo: current, backup
		Versions map[string]uint32 `json:"versions"` // key list version of each county
		Devices  []deviceLine      `json:"devices"`
	}{
		Root: hex.EncodeToString(keys.Root.Public().KID()), Sign: hex.EncodeToString(keys.Sign.Public().KID()),
		Versions: map[string]uint32{}, Devices: []deviceLine{},
	}
	for _, k := range keys.Seals {
		v.Seal = append(v.Seal, hex.EncodeToString(k.Public().KID()))
	}
	for _, p := range keys.Pins {
		v.TLSPins = append(v.TLSPins, hex.EncodeToString(p[:]))
	}
	for _, l := range lists {
		v.Versions[l.County] = l.Version
	}
	for _, d := range devices {
		_, head, err := g.Device(ctx, d.Device)
		if err != nil {
			return err
		}
		v.Devices = append(v.Devices, lineOfDevice(d, head.Seq))
	}
	return t.print(v, func(w io.Writer) {
		fmt.Fprintf(w, "root %s  sign %s  seal %v\n", v.Root, v.Sign, v.Seal)
		for _, d := range v.Devices {
			state := t.say("有效", "in force")
			if d.Revoked != "" {
				state = fmt.Sprintf("%s %s (≤ %d)", t.say("停用于", "revoked"), t.when(d.Revoked), d.CutSeq)
			}
			fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%d\t%s\n", d.Device, d.KID, d.Station, d.Machine, d.Records, state)
		}
	})
}

func runKeyRevoke(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	device := fs.Uint("device", 0, "设备号 / device number")
	reason := fs.String("reason", "", "原因 / why")
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	if *device == 0 {
		return usage(keyNeeded, "flags", "--device")
	}
	return t.with(ctx, func(g *gateway.Gateway) error {
		d, err := g.Revoke(ctx, uint32(*device), *reason)
		if err != nil {
			return err
		}
		return t.print(lineOfDevice(d, d.CutSeq), func(w io.Writer) {
			fmt.Fprintf(w, t.say("设备 %d 已停用，认可到第 %d 条记录\n", "device %d withdrawn; records up to %d stand\n"), d.Device, d.CutSeq)
		})
	})
}

func runKeyExport(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	device := fs.Uint("device", 0, "设备号 / device number")
	platform := fs.Bool("platform", false, "平台签名公钥 / the platform's signing key")
	root := fs.Bool("root", false, "平台根公钥 / the platform root")
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	n := 0
	for _, b := range []bool{*device != 0, *platform, *root} {
		if b {
			n++
		}
	}
	if n != 1 {
		return usage(keyOneOf, "flags", "--device, --platform, --root")
	}
	g, keys, done, err := t.open(ctx)
	if err != nil {
		return err
	}
	defer done() //nolint:errcheck // only read
	key := keys.Root.Public()
	switch {
	case *platform:
		key = keys.Sign.Public()
	case *device != 0:
		d, _, err := g.Device(ctx, uint32(*device))
		if err != nil {
			return err
		}
		key = d.SignKey
	}
	data, err := gateway.PEM(key)
	if err != nil {
		return err
	}
	return t.print(map[string]string{"kid": hex.EncodeToString(key.KID()), "pem": string(data)}, func(w io.Writer) { fmt.Fprint(w, string(data)) })
}

func runVerify(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	names, err := parse(fs, args, 1, 1)
	if err != nil {
		return err
	}
	return t.with(ctx, func(g *gateway.Gateway) error {
		v, st, err := g.VerifyLink(ctx, names[0])
		if err != nil {
			return err
		}
		out := struct {
			State      string         `json:"state"` // genuine, withdrawn, unknown, forged: what can be said offline
			Stage      uint8          `json:"stage"`
			Reason     string         `json:"reason"`
			No         string         `json:"no"`
			OfficialNo string         `json:"officialNo"`
			Item       string         `json:"item"`
			At         string         `json:"at"`
			Status     gateway.Status `json:"status"` // what the platform's own log says
		}{State: string(v.State), Stage: v.Stage, Reason: v.Reason, Status: st}
		if v.S1 != nil && v.Key != nil {
			out.No, out.Item, out.At = casefile.Number(v.S1.Device, v.S1.Seq), v.S1.Item, stamp(v.S1.At*1000)
		}
		if v.S2 != nil && v.Key != nil {
			out.No, out.OfficialNo, out.Item, out.At = casefile.Number(v.S2.Device, v.S2.Seq), v.S2.OfficialNo, v.S2.Item, stamp(v.S2.At*1000)
		}
		if err := t.print(out, func(w io.Writer) {
			fmt.Fprintf(w, "%s (%s) %s %s %s\n", t.stateText(v.State), out.Reason, out.No, out.OfficialNo, out.Item)
			if st.Found {
				fmt.Fprintf(w, "  %s %s %s\n", t.say("平台记录：", "platform's log:"), t.say(st.StateText.ZH, st.StateText.EN), st.Due)
			} else if st.Withdrawn {
				fmt.Fprintln(w, " ", t.say("平台记录与回执不符，或密钥已停用", "the platform's log does not agree, or the key was withdrawn before"))
			}
		}); err != nil {
			return err
		}
		switch {
		case v.State == receipt.Forged:
			return exitError{exitForged}
		case v.State != receipt.Genuine || st.Withdrawn:
			return exitError{exitState}
		}
		return nil
	})
}

func (t *tool) stateText(s receipt.State) string {
	switch s {
	case receipt.Genuine:
		return t.say("真实", "genuine")
	case receipt.Withdrawn:
		return t.say("密钥已停用，请以平台记录为准", "key withdrawn: the platform's log decides")
	case receipt.UnknownKey:
		return t.say("签发单位不在名册中", "signer is not listed")
	}
	return t.say("伪造", "forged")
}

// packLine is a pack as pack publish and pack list print it.
type packLine struct {
	Kind    string `json:"kind"`
	Version uint32 `json:"version"`
	Hash    string `json:"hash"`
	Size    int64  `json:"size"`
	At      string `json:"at"`
}

func (t *tool) printPacks(rows []gateway.PackRow) error {
	lines := []packLine{}
	for _, p := range rows {
		lines = append(lines, packLine{p.Kind, p.Version, p.Hash.String(), p.Size, stamp(p.At)})
	}
	return t.print(lines, func(w io.Writer) {
		for _, l := range lines {
			fmt.Fprintf(w, "%s\t%d\t%s\t%d\n", l.Kind, l.Version, l.Hash, l.Size)
		}
	})
}

func runPackPublish(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	version := fs.Uint("version", 0, "版本号，默认加一 / version (one above the newest)")
	names, err := parse(fs, args, 1, 1)
	if err != nil {
		return err
	}
	info, err := os.Stat(names[0])
	if err != nil {
		return words.New("gateway.noFile", gateway.ErrNotFound, "name", filepath.Base(names[0]))
	}
	return t.with(ctx, func(g *gateway.Gateway) error {
		if !info.IsDir() {
			data, err := os.ReadFile(names[0])
			if err != nil {
				return fmt.Errorf("pack: %w", err)
			}
			row, err := g.Publish(ctx, data)
			if err != nil {
				return err
			}
			return t.printPacks([]gateway.PackRow{row})
		}
		set, err := g.Settings(ctx)
		if err != nil {
			return err
		}
		rows, err := g.LoadCounty(ctx, os.DirFS(names[0]), uint32(*version), set)
		if err != nil {
			return err
		}
		return t.printPacks(rows)
	})
}

func runPackList(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	return t.with(ctx, func(g *gateway.Gateway) error {
		rows, err := g.Packs(ctx)
		if err != nil {
			return err
		}
		return t.printPacks(rows)
	})
}

func runStationList(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	return t.with(ctx, func(g *gateway.Gateway) error {
		all, err := g.Stations(ctx)
		if err != nil {
			return err
		}
		type line struct {
			Division  string `json:"division"`
			Name      string `json:"name"`
			Telephone string `json:"telephone"`
		}
		lines := []line{}
		for _, s := range all {
			lines = append(lines, line{s.Division, s.Name, s.Telephone})
		}
		return t.print(lines, func(w io.Writer) {
			for _, l := range lines {
				fmt.Fprintf(w, "%s\t%s\t%s\n", l.Division, l.Name, l.Telephone)
			}
		})
	})
}
