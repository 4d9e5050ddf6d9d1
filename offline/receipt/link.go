package receipt

import (
	"errors"
	"slices"
	"strings"

	"bianmin/offline/words"
)

const (
	linkScheme = "https://"
	linkPath   = "/r#"
	maxHost    = 80
)

// Errors of ParseLink.
var (
	// ErrLink reports text that is not a receipt's link.
	ErrLink = errors.New("receipt: not a receipt link")
	// ErrHost reports a link to a host that the caller does not allow.
	ErrHost = errors.New("receipt: link to another host")
)

// Link returns https://host/r#… for an envelope. The host is written in lower case; it may have a port.
func Link(host string, envelope []byte) string {
	return linkScheme + strings.ToLower(host) + linkPath + encode41(envelope)
}

// ParseLink takes a link apart. It accepts only what Link writes: lower-case prefix, canonical base41. Reading stops
// at the first character outside base41, because apps append things (&appinstall=0). With hosts given, the link's
// host must be one of them. The errors wrap ErrLink, ErrHost or ErrBase41 and carry words for people.
func ParseLink(link string, hosts ...string) (host string, envelope []byte, err error) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(link), linkScheme)
	if !ok {
		return "", nil, words.New(ReasonNotLink, ErrLink)
	}
	host, rest, ok = strings.Cut(rest, linkPath)
	if !ok || !plainHost(host) {
		return "", nil, words.New(ReasonNotLink, ErrLink)
	}
	if len(hosts) > 0 && !slices.Contains(hosts, host) {
		return "", nil, words.New(ReasonHost, ErrHost)
	}
	end := 0
	for end < len(rest) && values41[rest[end]] >= 0 {
		end++
	}
	if end > maxBytes/2*3 {
		return "", nil, words.New(ReasonNotLink, ErrLink)
	}
	envelope, err = decode41(rest[:end])
	if err != nil {
		return "", nil, words.New(ReasonMalformed, err)
	}
	if len(envelope) == 0 {
		return "", nil, words.New(ReasonNotLink, ErrLink)
	}
	return host, envelope, nil
}

func plainHost(host string) bool {
	if host == "" || len(host) > maxHost {
		return false
	}
	for i := range len(host) {
		c := host[i]
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == ':') {
			return false
		}
	}
	return true
}
