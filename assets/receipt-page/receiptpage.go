// Package receiptpage holds the citizen's page behind the QR code of a receipt: static files that any host can serve.
//
// The page is built from src by build.mjs (make page) and committed in dist; a test builds it again and compares. It
// has no field to fill in, no remote script, and a strict [CSP]. See README.md for what it fetches and when.
package receiptpage

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"strings"
)

//go:embed dist
var dist embed.FS

//go:embed csp.txt
var cspFile string

// CSP is the Content-Security-Policy header that every file of the page is served with. The page carries the same
// policy itself, but for frame-ancestors, which only a header can set.
var CSP = strings.TrimSpace(cspFile)

// Root is the path of the page. Its files are below it, and so is what the platform publishes for it: /r/root.cbor,
// /r/keys/index.json and /r/keys/<county>.cbor.
const Root = "/r"

// File is one file of the page, ready to be served.
type File struct {
	Name   string            // in dist, for example "app.js"
	Data   []byte            // not to be changed
	Header map[string]string // every header to send, Content-Type, ETag and CSP included
}

var files = func() map[string]File {
	types := map[string]string{
		"html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8",
		"svg": "image/svg+xml",
	}
	entries, err := fs.ReadDir(dist, "dist")
	if err != nil {
		panic(err) // the folder is embedded
	}
	m := make(map[string]File, len(entries)+2)
	for _, e := range entries {
		data, err := dist.ReadFile("dist/" + e.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(data)
		f := File{Name: e.Name(), Data: data, Header: map[string]string{
			"Content-Type":                 types[e.Name()[strings.LastIndexByte(e.Name(), '.')+1:]],
			"Content-Security-Policy":      CSP,
			"X-Content-Type-Options":       "nosniff",
			"Referrer-Policy":              "no-referrer",
			"Strict-Transport-Security":    "max-age=31536000",
			"Permissions-Policy":           "camera=(), geolocation=(), microphone=()",
			"Cross-Origin-Opener-Policy":   "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin",
			"Cache-Control":                "no-cache", // the service worker keeps the page; ETag saves the bytes
			"ETag":                         `"` + hex.EncodeToString(sum[:8]) + `"`,
		}}
		if f.Name == "sw.js" {
			// The page is /r, one level above its worker.
			f.Header["Service-Worker-Allowed"] = Root
		}
		m[Root+"/"+f.Name] = f
		if f.Name == "index.html" {
			m[Root], m[Root+"/"] = f, f
		}
	}
	return m
}()

// Lookup returns the file for a URL path: /r, /r/app.js and so on. It answers no path outside the page.
func Lookup(path string) (File, bool) {
	f, ok := files[path]
	return f, ok
}

// Paths returns every path that Lookup knows, in no order.
func Paths() []string {
	list := make([]string, 0, len(files))
	for p := range files {
		list = append(list, p)
	}
	return list
}
