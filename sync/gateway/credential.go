package gateway

import (
	"context"
	"crypto/rand"
	"fmt"

	"bianmin/offline/ident"
	"bianmin/offline/receipt"
)

// saltBytes of a credential.
const saltBytes = 8

// Credential issues an e-credential of a kind for a person, as the platform's own application would show it on a telephone: it
// is good for a minute, and every station checks it without a network. Nothing of it is kept. Errors: those of package ident
// for a number that is none.
func (g *Gateway) Credential(_ context.Context, kind, name, number string) (string, error) {
	now := g.cfg.Now()
	id, err := ident.ParseIDAt(number, now)
	if err != nil {
		return "", err
	}
	salt := make([]byte, saltBytes)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("gateway: credential: %w", err)
	}
	return receipt.NewCredential(g.s, g.keys.Sign, kind, name, id.Number, salt, now)
}
