package main

import (
	"context"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"bianmin/offline/receipt"
	"bianmin/offline/vault"
	"bianmin/offline/words"
	"bianmin/sync/gateway"
)

// maxRequest bounds a recovery request's file in bytes.
const maxRequest = 1 << 20

func runRecoveryCreate(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	return t.with(ctx, func(g *gateway.Gateway) error {
		pub, err := gateway.CreateRecovery(filepath.Join(t.dir, keysFolder), vault.SM(nil))
		if err != nil {
			return err
		}
		if err := g.PublishRecovery(ctx, pub); err != nil {
			return err
		}
		return t.print(map[string]string{"kid": hex.EncodeToString(pub.KID())}, func(w io.Writer) {
			fmt.Fprintf(w, t.say("恢复密钥 %x 已生成，请把 keys/recovery.key 移到保险柜\n", "recovery key %x made; move keys/recovery.key to a safe\n"), pub.KID())
		})
	})
}

func runRecoveryShow(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	return t.with(ctx, func(g *gateway.Gateway) error {
		pub, err := g.Recovery(ctx)
		if err != nil {
			return err
		}
		return t.print(map[string]string{"kid": hex.EncodeToString(pub.KID())}, func(w io.Writer) { fmt.Fprintf(w, "%x\n", pub.KID()) })
	})
}

// readRequest reads a request as text, from a file, standard input, or a picture of its code.
func (t *tool) readRequest(name string) ([]byte, error) {
	in := t.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("recovery: %w", err)
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxRequest))
	if err != nil {
		return nil, fmt.Errorf("recovery: %w", err)
	}
	text, err := receipt.ReadMessage(data)
	if err != nil {
		return nil, err
	}
	return vault.ParseRecoveryText(vault.SM(nil), vault.RequestText, text)
}

func runRecoveryAnswer(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	key := fs.String("key", "", "恢复密钥文件，默认 keys/recovery.key / file of the recovery key (keys/recovery.key)")
	out := fs.String("out", "", "把答复写入文件 / also write the answer to a file")
	qr := fs.String("qr", "", "把答复写成二维码图片 / also write the answer as a QR code")
	force := fs.Bool("force", false, "设备已停用也答复 / answer a withdrawn device, too")
	names, err := parse(fs, args, 1, 1)
	if err != nil {
		return err
	}
	request, err := t.readRequest(names[0])
	if err != nil {
		return err
	}
	if *key == "" {
		*key = filepath.Join(t.dir, keysFolder)
	}
	s := vault.SM(nil)
	county, err := gateway.OpenRecovery(*key, s)
	if err != nil {
		return err
	}
	return t.with(ctx, func(g *gateway.Gateway) error {
		q, d, err := g.RecoveryOf(ctx, request)
		if err != nil {
			return err
		}
		if d.Revoked != 0 && !*force {
			return words.New("gateway.withdrawn", gateway.ErrState, "device", strconv.FormatUint(uint64(d.Device), 10))
		}
		answer, err := vault.AnswerRecovery(s, county, request)
		if err != nil {
			return err
		}
		text := vault.RecoveryText(s, vault.AnswerText, answer)
		if *out != "" {
			err = os.WriteFile(*out, []byte(text), 0o600)
		}
		if *qr != "" && err == nil {
			var png []byte
			if png, err = receipt.MessagePicture(text); err == nil {
				err = os.WriteFile(*qr, png, 0o600)
			}
		}
		if err != nil {
			return fmt.Errorf("recovery: %w", err)
		}
		v := map[string]any{"device": d.Device, "station": d.Station, "kind": q.Kind, "operator": q.Operator, "at": stamp(q.At), "answer": text}
		return t.print(v, func(w io.Writer) {
			fmt.Fprint(w, text)
			at := t.moment(q.At)
			if q.Kind == vault.RecoverOperator {
				fmt.Fprintf(t.err, t.say("设备 %d（%s）请求让操作员 %s 登录，设备时钟 %s。请先打电话核实。\n", "device %d (%s) asks to let operator %s in; its clock says %s. Make sure by telephone first.\n"), d.Device, d.Station, q.Operator, at)
				return
			}
			fmt.Fprintf(t.err, t.say("设备 %d（%s）请求找回机器密钥，设备时钟 %s。请求没有签名：请务必当面或打电话核实。\n", "device %d (%s) asks for its machine secret; its clock says %s. Such a request carries no signature: make sure, in person or by telephone.\n"), d.Device, d.Station, at)
		})
	})
}
