// Package county holds the sample county: a fictional county (division 999999) with its stations, services, forms,
// lists, calendar, and a roster of persons who do not exist.
//
// It is what the demonstration and the tests run on, and the pattern for a real county's folder (docs/packs.md). Names,
// numbers, telephones and amounts are examples; ID numbers use a division that is not assigned, so they hit nobody. The
// holidays of 2026 and 2027 are sample data too: a real county takes them from the State Council's notice.
//
// roster.json and dictionary.zdict are made by the program in gen: go generate bianmin/assets/county.
package county

import (
	"embed"
	"io/fs"
)

//go:generate go run ./gen

//go:embed *.json dictionary.zdict forms/*.json lists/*.json
var files embed.FS

// Code is the sample county's division code.
const Code = "999999"

// Version is the version of the packs made from the folder as it is now; raise it with every change.
const Version = 1

// FS returns the county's folder, as catalog.BuildCounty reads it.
func FS() fs.FS { return files }
