package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"image/png"
	"io"
	"os"

	"bianmin/offline/receipt"
	"bianmin/sync/gateway"
)

// runCredential issues an e-credential, as the platform's application shows it on a telephone. With --qr it is written as a
// picture, to be held before a scanner.
func runCredential(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	kind := fs.String("kind", "医保电子凭证", "凭证名称 / what it is called")
	name := fs.String("name", "", "姓名 / the holder's name")
	number := fs.String("id-number", "", "身份证号 / the holder's ID number")
	qr := fs.String("qr", "", "二维码图片文件 / file for the QR code, PNG")
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	if *name == "" || *number == "" {
		return usage(keyNeeded, "flags", "--name --id-number")
	}
	return t.with(ctx, func(g *gateway.Gateway) error {
		text, err := g.Credential(ctx, *kind, *name, *number)
		if err != nil {
			return err
		}
		if *qr != "" {
			code, err := receipt.QR(text, receipt.LevelM)
			if err != nil {
				return err
			}
			var picture bytes.Buffer
			if err := png.Encode(&picture, code.Image(credentialDot, receipt.QuietZone)); err != nil {
				return err
			}
			if err := os.WriteFile(*qr, picture.Bytes(), 0o600); err != nil {
				return err
			}
		}
		out := struct {
			Credential string `json:"credential"`
			Seconds    int    `json:"seconds"`
		}{text, int(receipt.CredentialLife.Seconds())}
		return t.print(out, func(w io.Writer) { fmt.Fprintln(w, text) })
	})
}

// credentialDot is how large a module of the picture is, in pixels.
const credentialDot = 6
