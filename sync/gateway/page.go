package gateway

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"bianmin/sync/wire"
)

const (
	pageAge = "public, max-age=300"              // page and script: a new release is seen within five minutes
	listAge = "public, max-age=60"               // key lists: a withdrawn key is seen within a minute
	rootAge = "public, max-age=86400, immutable" // the platform root does not change
)

// pageRoutes serves the citizen page. Everything below PathPage is static and may be cached by anybody.
func (g *Gateway) pageRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET "+wire.PathPage, g.page)
	mux.HandleFunc("GET "+wire.PathPage+"/{file...}", g.page)
	mux.HandleFunc("GET "+wire.PathPage+"/root.cbor", func(w http.ResponseWriter, r *http.Request) {
		g.static(w, r, rootAge, "application/octet-stream", g.keys.Root.Public())
	})
	mux.HandleFunc("GET "+wire.PathPage+"/keys/index.json", g.keyIndex)
	mux.HandleFunc("GET "+wire.PathPage+"/keys/{file}", g.keyFile)
}

// static sends bytes with a tag made from them, so that a reload costs a few bytes.
func (g *Gateway) static(w http.ResponseWriter, r *http.Request, age, media string, data []byte) {
	h := g.s.Hash(data)
	w.Header().Set("ETag", strconv.Quote(h.String()[:32]))
	w.Header().Set("Cache-Control", age)
	w.Header().Set("Content-Type", media)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

// page serves a file of the page with the headers it comes with.
func (g *Gateway) page(w http.ResponseWriter, r *http.Request) {
	var data []byte
	var header map[string]string
	ok := false
	if g.cfg.Page != nil {
		data, header, ok = g.cfg.Page(r.URL.Path)
	}
	if !ok {
		g.refuse(w, r, &wire.Error{Code: wire.CodeNotFound})
		return
	}
	for k, v := range header {
		w.Header().Set(k, v)
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

// keyIndex lists the counties whose key lists are here.
func (g *Gateway) keyIndex(w http.ResponseWriter, r *http.Request) {
	index := struct {
		Counties []string `json:"counties"`
	}{[]string{}}
	err := g.store.View(r.Context(), func(tx Tx) error {
		docs, err := tx.Docs(keysDoc)
		for _, d := range docs {
			index.Counties = append(index.Counties, strings.TrimPrefix(d.Name, keysDoc))
		}
		return err
	})
	var data []byte
	if err == nil {
		data, err = json.Marshal(index)
	}
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	g.static(w, r, listAge, "application/json", data)
}

func (g *Gateway) keyFile(w http.ResponseWriter, r *http.Request) {
	county, ok := strings.CutSuffix(r.PathValue("file"), ".cbor")
	var data []byte
	var err error = &wire.Error{Code: wire.CodeNotFound}
	if ok {
		err = g.store.View(r.Context(), func(tx Tx) error {
			d, err := tx.Doc(keysDoc + county)
			data = d.Data
			return err
		})
	}
	if isNotFound(err) {
		err = &wire.Error{Code: wire.CodeNotFound}
	}
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	g.static(w, r, listAge, wire.ContentType, data)
}
