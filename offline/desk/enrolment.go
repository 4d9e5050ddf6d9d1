package desk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"bianmin/offline/canon"
	"bianmin/offline/counter"
	"bianmin/offline/durable"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// Errors that callers branch on.
var (
	// ErrNotEnrolled reports a folder that no platform granted to a station yet.
	ErrNotEnrolled = words.New("desk.notEnrolled", nil)
	// ErrEnrolled reports a folder that already belongs to a station.
	ErrEnrolled = words.New("desk.enrolledAlready", nil)
)

// Enrolment is what the platform granted this machine. It changes only by a new enrolment.
type Enrolment struct {
	V        uint8           `cbor:"1,keyasint"`
	Device   uint32          `cbor:"2,keyasint"`
	Station  counter.Station `cbor:"3,keyasint"`
	Root     vault.PublicKey `cbor:"4,keyasint"` // platform root: certifies everything else
	SignKey  vault.PublicKey `cbor:"5,keyasint"` // platform's working key: acks, events, stage-2 receipts
	SealKey  vault.PublicKey `cbor:"6,keyasint"` // packets are sealed to it
	Gateway  string          `cbor:"7,keyasint"` // URL
	Pins     []byte          `cbor:"8,keyasint"` // pin set signed by the root, as it was at enrolment
	KeyList  []byte          `cbor:"9,keyasint"` // receipt key list signed by the root, as it was at enrolment
	SignCert []byte          `cbor:"10,keyasint"`
	SealCert []byte          `cbor:"11,keyasint"`
	Demo     bool            `cbor:"12,keyasint"`           // sample county
	At       int64           `cbor:"13,keyasint"`           // platform time, Unix milliseconds
	Recovery []byte          `cbor:"14,keyasint,omitempty"` // county's recovery key signed by the root, as it was at enrolment
}

// Grant is everything [Install] needs to make a folder a station's machine.
type Grant struct {
	Enrolment Enrolment
	Sign      vault.PrivateKey // the device's keys, made before asking
	Seal      vault.PrivateKey
	Operators []vault.NewOperator
	Packs     [][]byte // first packs, as published
}

const enrolmentAAD = "bianmin/enrolment/v1"

func enrolmentPath(dir string) string { return filepath.Join(dir, "enrolment") }

// Enrolled reports whether dir belongs to a station.
func Enrolled(dir string) bool {
	_, err := os.Stat(enrolmentPath(dir))
	return err == nil
}

func readEnrolment(dir string, s vault.Suite, key vault.Key) (Enrolment, error) {
	var e Enrolment
	sealed, err := os.ReadFile(enrolmentPath(dir))
	if errors.Is(err, os.ErrNotExist) {
		return e, ErrNotEnrolled
	}
	if err != nil {
		return e, words.New("desk.folderUnreadable", err)
	}
	plain, err := s.Open(key, sealed, []byte(enrolmentAAD))
	if err != nil {
		return e, words.New("desk.enrolmentDamaged", err)
	}
	if err := canon.Unmarshal(plain, &e); err != nil {
		return e, words.New("desk.enrolmentDamaged", err)
	}
	if e.V != 1 {
		return e, words.New("desk.enrolmentDamaged", fmt.Errorf("enrolment version %d", e.V))
	}
	return e, nil
}

func writeEnrolment(dir string, s vault.Suite, key vault.Key, e Enrolment) error {
	e.V = 1
	plain, err := canon.Marshal(e)
	if err != nil {
		return err
	}
	sealed, err := s.Seal(key, plain, []byte(enrolmentAAD))
	if err != nil {
		return err
	}
	return writeFile(enrolmentPath(dir), sealed)
}

// writeFile replaces a file so that a cut leaves the old or the new one.
func writeFile(path string, data []byte) error { return durable.WriteFile(path, data) }
