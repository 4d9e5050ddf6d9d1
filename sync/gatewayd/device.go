package main

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"strings"

	"bianmin/offline/ident"
	"bianmin/offline/journal"
	"bianmin/sync/gateway"
	"bianmin/sync/wire"
)

// maxLease bounds a lease in days: longer is no lease.
const maxLease = 365

// orderLine is a device as device list prints it.
type orderLine struct {
	Device  uint32   `json:"device"`
	Station string   `json:"station"`
	Machine string   `json:"machine"`
	Revoked bool     `json:"revoked"`
	Orders  []string `json:"orders"` // oldest first
	Kept    string   `json:"kept"`   // when the device last said that it carried one out, by its clock; "" never
}

func runDeviceList(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	return t.with(ctx, func(g *gateway.Gateway) error {
		devices, err := g.Devices(ctx)
		if err != nil {
			return err
		}
		lines := []orderLine{}
		for _, d := range devices {
			given, kept, err := g.Orders(ctx, d.Device)
			if err != nil {
				return err
			}
			l := orderLine{Device: d.Device, Station: d.Station, Machine: d.Machine, Revoked: d.Revoked != 0, Orders: []string{}, Kept: stamp(kept)}
			for _, k := range given {
				l.Orders = append(l.Orders, string(k))
			}
			lines = append(lines, l)
		}
		return t.print(lines, func(w io.Writer) {
			for _, l := range lines {
				fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", l.Device, l.Station, l.Machine, strings.Join(l.Orders, " "), t.when(l.Kept))
			}
		})
	})
}

// runOrder gives one device an order.
func (t *tool) runOrder(ctx context.Context, device uint, kind journal.Kind, o journal.Order, zh, en string) error {
	if device == 0 {
		return usage(keyNeeded, "flags", "--device")
	}
	return t.with(ctx, func(g *gateway.Gateway) error {
		if err := g.Order(ctx, uint32(device), kind, o); err != nil {
			return err
		}
		return t.print(map[string]any{"device": device, "order": kind}, func(w io.Writer) { fmt.Fprintf(w, t.say(zh, en)+"\n", device) })
	})
}

func runDeviceLock(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	device := fs.Uint("device", 0, "设备号 / device number")
	reason := fs.String("reason", "", "原因，会显示在设备上 / why, shown on the device")
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	return t.runOrder(ctx, *device, journal.EventDeviceLocked, journal.Order{Reason: *reason},
		"设备 %d 下次联系时锁定", "device %d locks at its next contact")
}

func runDeviceUnlock(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	device := fs.Uint("device", 0, "设备号 / device number")
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	return t.runOrder(ctx, *device, journal.EventDeviceUnlocked, journal.Order{},
		"设备 %d 下次联系时解锁", "device %d unlocks at its next contact")
}

func runDeviceWipe(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	device := fs.Uint("device", 0, "设备号 / device number")
	reason := fs.String("reason", "", "原因 / why")
	yes := fs.Bool("yes", false, "确认销毁，不可恢复 / yes, destroy for good")
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	if !*yes {
		return usage("gateway.use.wipe")
	}
	return t.runOrder(ctx, *device, journal.EventDeviceWiped, journal.Order{Reason: *reason},
		"设备 %d 下次联系时先送出未送达的记录，然后销毁密钥", "device %d sends what it has at its next contact, then destroys its keys")
}

func runDeviceLease(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	device := fs.Uint("device", 0, "设备号 / device number")
	days := fs.Uint("days", 0, "天数 / days")
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	if *days == 0 || *days > maxLease {
		return usage("gateway.use.range", "flag", "--days", "least", "1", "most", strconv.Itoa(maxLease))
	}
	return t.runOrder(ctx, *device, journal.EventDeviceLease, journal.Order{Days: uint32(*days)},
		"设备 %d 的新期限已发出", "device %d was told its new lease")
}

// operatorLine is an operator as operator list prints it.
type operatorLine struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Role     string `json:"role"`
	Division string `json:"division"`
}

func runOperatorList(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	station := fs.String("station", "", "服务站区划代码 / division code")
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	return t.with(ctx, func(g *gateway.Gateway) error {
		st, err := g.Station(ctx, *station)
		if err != nil {
			return err
		}
		ops, err := g.StationOperators(ctx, st.Division)
		if err != nil {
			return err
		}
		lines := []operatorLine{}
		for _, op := range ops {
			lines = append(lines, operatorLine{op.ID, op.Name, op.Role, op.Division})
		}
		return t.print(lines, func(w io.Writer) {
			for _, l := range lines {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", l.ID, l.Name, l.Role, l.Division)
			}
		})
	})
}

func runOperatorAdd(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	station := fs.String("station", "", "服务站区划代码 / division code")
	op := wire.Operator{}
	fs.StringVar(&op.ID, "id", "", "工号 / id")
	fs.StringVar(&op.Name, "name", "", "姓名 / name")
	fs.StringVar(&op.Role, "role", "staff", "岗位 staff、grid、lead / role")
	fs.StringVar(&op.Division, "division", "", "负责的区划，默认站点 / division served (the station's)")
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	if op.ID == "" || op.Name == "" {
		return usage(keyNeeded, "flags", "--id, --name")
	}
	return t.with(ctx, func(g *gateway.Gateway) error {
		st, err := g.Station(ctx, *station)
		if err != nil {
			return err
		}
		if op.Division == "" {
			op.Division = st.Division
		}
		if _, err := ident.ParseDivision(op.Division); err != nil {
			return usage(keyValue, "flag", "--division", "value", op.Division)
		}
		if op.Activation, err = activationCode(); err != nil {
			return err
		}
		if err := g.GrantOperator(ctx, st.Division, op); err != nil {
			return err
		}
		v := map[string]string{"id": op.ID, "station": st.Division, "code": op.Activation}
		return t.print(v, func(w io.Writer) {
			fmt.Fprintln(w, op.Activation)
			fmt.Fprintf(t.err, t.say("%s 的一次性激活码；登录后请同事接纳\n", "one-time code of %s; a colleague has to admit them after the first login\n"), op.ID)
		})
	})
}

// activationCode makes a one-time code of ten digits.
func activationCode() (string, error) {
	const limit = 10_000_000_000
	n, err := rand.Int(rand.Reader, big.NewInt(limit))
	if err != nil {
		return "", fmt.Errorf("operator add: %w", err)
	}
	return fmt.Sprintf("%010d", n), nil
}

func runOperatorRemove(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	station := fs.String("station", "", "服务站区划代码 / division code")
	id := fs.String("id", "", "工号 / id")
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	if *id == "" {
		return usage(keyNeeded, "flags", "--id")
	}
	return t.with(ctx, func(g *gateway.Gateway) error {
		st, err := g.Station(ctx, *station)
		if err != nil {
			return err
		}
		if err := g.WithdrawOperator(ctx, st.Division, *id); err != nil {
			return err
		}
		return t.print(map[string]string{"id": *id, "station": st.Division}, func(w io.Writer) {
			fmt.Fprintf(w, t.say("%s 已停用\n", "%s withdrawn\n"), *id)
		})
	})
}
