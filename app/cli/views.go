package cli

import (
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"bianmin/app/vm"
	"bianmin/assets/translations"
	"bianmin/offline/casefile"
	"bianmin/offline/counter"
	"bianmin/offline/ident"
	"bianmin/offline/receipt"
)

// verdict is what verify --json prints.
type verdict struct {
	State     string `json:"state"` // "genuine", "withdrawn", "unknown", "forged"
	Stage     uint8  `json:"stage,omitempty"`
	No        string `json:"no,omitempty"`
	Item      string `json:"item,omitempty"`
	Name      string `json:"name,omitempty"` // masked
	Official  string `json:"officialNo,omitempty"`
	At        string `json:"at,omitempty"`  // RFC 3339
	Due       string `json:"due,omitempty"` // 2006-01-02
	Station   string `json:"station,omitempty"`
	Telephone string `json:"telephone,omitempty"`
	Reason    string `json:"reason,omitempty"` // translation key
	TBS       string `json:"tbs,omitempty"`    // hexadecimal: the bytes that were signed (COSE Sig_structure)
	SigDER    string `json:"sigDer,omitempty"` // hexadecimal: the signature as OpenSSL wants it
}

func viewVerdict(v receipt.Verdict, envelope []byte) verdict {
	out := verdict{State: string(v.State), Stage: v.Stage, Reason: v.Reason}
	if v.Key != nil {
		out.Station, out.Telephone = v.Key.Name, v.Key.Telephone
	}
	switch {
	case v.S1 != nil:
		out.No, out.Item, out.Name = casefile.Number(v.S1.Device, v.S1.Seq), v.S1.Item, v.S1.Name
		out.At, out.Due = stamp(v.S1.At), day(v.S1.Due)
	case v.S2 != nil:
		out.No, out.Item, out.Official = casefile.Number(v.S2.Device, v.S2.Seq), v.S2.Item, v.S2.OfficialNo
		out.At, out.Due = stamp(v.S2.At), day(v.S2.Due)
	}
	if tbs, der, err := receipt.Explain(envelope); err == nil {
		out.TBS, out.SigDER = hex.EncodeToString(tbs), hex.EncodeToString(der)
	}
	return out
}

func (v verdict) args(texts translations.Texts) map[string]string {
	due := "—"
	if d, err := time.ParseInLocation(time.DateOnly, v.Due, ident.China); err == nil {
		due = translations.DayText(texts, d)
	}
	at := v.At
	if t, err := time.Parse(time.RFC3339, v.At); err == nil {
		at = translations.MomentText(texts, t)
	}
	return map[string]string{
		"station": v.Station, "at": at, "item": v.Item, "name": v.Name, "no": v.No, "phone": v.Telephone,
		"official": v.Official, "due": due,
	}
}

func stamp(sec int64) string { return time.Unix(sec, 0).UTC().Format(time.RFC3339) }

func day(d int32) string {
	if d == 0 {
		return ""
	}
	return casefile.Day(d).String()
}

// reportLines says what doctor found.
func reportLines(e *Env, r counter.Report) []string {
	var out []string
	add := func(key string, pairs ...string) {
		args := map[string]string{}
		for i := 0; i+1 < len(pairs); i += 2 {
			args[pairs[i]] = pairs[i+1]
		}
		out = append(out, e.T(key, args))
	}
	if r.Rebuilt {
		add("doctor.rebuilt")
	}
	if r.SetAside != "" {
		add("doctor.setAside", "file", r.SetAside)
	}
	if r.FromBackup {
		add("doctor.fromBackup")
	}
	if len(r.Repaired) > 0 {
		add("doctor.repaired", "what", strings.Join(r.Repaired, ", "))
	}
	if r.Waiting {
		add("doctor.waiting")
	}
	if len(r.Faults) == 0 {
		add("doctor.ok", "records", strconv.FormatUint(r.Records, 10), "events", strconv.FormatUint(r.Events, 10), "blobs", strconv.Itoa(r.Blobs))
	} else {
		add("doctor.faults", "n", strconv.Itoa(len(r.Faults)))
		for _, f := range r.Faults {
			out = append(out, "  "+vm.FaultText(e.Texts.In(e.Lang), f))
		}
		if vm.CanMend(r) {
			add("doctor.mend")
		}
	}
	if !r.Deep {
		add("doctor.shallow")
	}
	add("doctor.machine", "machine", r.Machine, "crypto", r.Crypto)
	return append(out, machineLines(e, r)...)
}
