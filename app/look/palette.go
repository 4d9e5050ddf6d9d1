package look

import (
	"fmt"
	"image/color"
)

// Role is the part a colour plays. Screens name roles, never colours.
type Role int

// Roles. A Soft role is a background tint; the role of the same name is the text and icon colour on it.
const (
	RoleBackground     Role = iota // behind everything
	RoleSurface                    // cards, bars, fields
	RoleSunken                     // wells, read-only fields, table heads
	RoleText                       // what is read first
	RoleSecondary                  // labels, help, times
	RolePrimary                    // the one thing to do, links, what is chosen
	RoleOnPrimary                  // text on RolePrimary and its hover and pressed shades
	RolePrimaryHover               // RolePrimary under the pointer
	RolePrimaryPressed             // RolePrimary under the finger
	RolePrimarySoft                // chosen rows, information
	RoleHover                      // a surface under the pointer
	RoleBorder                     // lines between and around surfaces
	RoleInputBorder                // the edge of something to fill in, at least 3:1 against its surroundings
	RoleSuccess                    // done, genuine, delivered
	RoleSuccessSoft
	RoleWarning // needs attention soon
	RoleWarningSoft
	RoleDanger // wrong, refused, overdue
	RoleDangerSoft
	RoleDisabled     // text of what cannot be used now
	RoleDisabledFill // ground of what cannot be used now
	RoleFocus        // the ring around the part that has the keyboard
	RoleClear        // nothing is painted
	roleCount
)

type palette [roleCount]color.NRGBA

var standardPalette = palette{
	RoleBackground: rgb(0xF4F6F9), RoleSurface: rgb(0xFFFFFF), RoleSunken: rgb(0xEEF2F7),
	RoleText: rgb(0x1C2733), RoleSecondary: rgb(0x4A5868),
	RolePrimary: rgb(0x1457B8), RoleOnPrimary: rgb(0xFFFFFF), RolePrimaryHover: rgb(0x104A9E),
	RolePrimaryPressed: rgb(0x0B3A7E), RolePrimarySoft: rgb(0xE7F0FB), RoleHover: rgb(0xF1F6FD),
	RoleBorder: rgb(0xD7DEE7), RoleInputBorder: rgb(0x76859A),
	RoleSuccess: rgb(0x1B7A43), RoleSuccessSoft: rgb(0xE8F5EE),
	RoleWarning: rgb(0x9A5B00), RoleWarningSoft: rgb(0xFFF6E5),
	RoleDanger: rgb(0xB3261E), RoleDangerSoft: rgb(0xFCECEA),
	RoleDisabled: rgb(0x566373), RoleDisabledFill: rgb(0xE6EAF0), RoleFocus: rgb(0x2F7DE1),
}

var elderPalette = palette{
	RoleBackground: rgb(0xF4F6F9), RoleSurface: rgb(0xFFFFFF), RoleSunken: rgb(0xEEF2F7),
	RoleText: rgb(0x10181F), RoleSecondary: rgb(0x33404D),
	RolePrimary: rgb(0x0F4AA0), RoleOnPrimary: rgb(0xFFFFFF), RolePrimaryHover: rgb(0x0C3F8A),
	RolePrimaryPressed: rgb(0x08306C), RolePrimarySoft: rgb(0xE4EEFA), RoleHover: rgb(0xF1F6FD),
	RoleBorder: rgb(0xC4CEDA), RoleInputBorder: rgb(0x5D6C7F),
	RoleSuccess: rgb(0x14633A), RoleSuccessSoft: rgb(0xE8F5EE),
	RoleWarning: rgb(0x7D4A00), RoleWarningSoft: rgb(0xFFF6E5),
	RoleDanger: rgb(0x981B14), RoleDangerSoft: rgb(0xFCECEA),
	RoleDisabled: rgb(0x4B5766), RoleDisabledFill: rgb(0xE6EAF0), RoleFocus: rgb(0x1F6FD6),
}

var contrastPalette = palette{
	RoleBackground: rgb(0x000000), RoleSurface: rgb(0x000000), RoleSunken: rgb(0x000000),
	RoleText: rgb(0xFFFFFF), RoleSecondary: rgb(0xFFFF00),
	RolePrimary: rgb(0xFFFF00), RoleOnPrimary: rgb(0x000000), RolePrimaryHover: rgb(0xFFFFFF),
	RolePrimaryPressed: rgb(0xFFE08A), RolePrimarySoft: rgb(0x2B2B00), RoleHover: rgb(0x242424),
	RoleBorder: rgb(0xFFFFFF), RoleInputBorder: rgb(0xFFFFFF),
	RoleSuccess: rgb(0x00FF7F), RoleSuccessSoft: rgb(0x000000),
	RoleWarning: rgb(0xFFD400), RoleWarningSoft: rgb(0x000000),
	RoleDanger: rgb(0xFF6B6B), RoleDangerSoft: rgb(0x000000),
	RoleDisabled: rgb(0xBFBFBF), RoleDisabledFill: rgb(0x000000), RoleFocus: rgb(0x00FFFF),
}

func (m Mode) palette() *palette {
	switch {
	case m.HighContrast:
		return &contrastPalette
	case m.Elder:
		return &elderPalette
	default:
		return &standardPalette
	}
}

// Color returns the colour that plays role in m.
func (m Mode) Color(role Role) color.NRGBA {
	if role < 0 || role >= roleCount {
		return m.palette()[RoleText]
	}
	return m.palette()[role]
}

// Color returns the colour that plays role at the moment.
func Color(role Role) color.NRGBA { return now.mode.Color(role) }

// Pair is a text colour with the ground it is read on.
type Pair struct{ Text, Ground Role }

// Pairs lists every text and ground that parts of this package and of input put together. A test holds each of them
// to 4.5:1 in every mode; a new combination belongs here before it is used.
func Pairs() []Pair {
	pairs := []Pair{
		{RoleOnPrimary, RolePrimary},
		{RoleOnPrimary, RolePrimaryHover},
		{RoleOnPrimary, RolePrimaryPressed},
		{RoleDisabled, RoleDisabledFill},
		{RoleDisabled, RoleSurface},
		{RoleDisabled, RoleBackground},
		{RoleDisabled, RoleSunken},
		{RoleSuccess, RoleSuccessSoft},
		{RoleWarning, RoleWarningSoft},
		{RoleDanger, RoleDangerSoft},
		{RolePrimary, RoleDisabledFill},
		{RoleOnPrimary, RoleDanger},
	}
	for _, ground := range []Role{RoleBackground, RoleSurface, RoleSunken, RolePrimarySoft, RoleHover} {
		for _, text := range []Role{RoleText, RoleSecondary, RolePrimary, RoleDanger} {
			pairs = append(pairs, Pair{text, ground})
		}
	}
	for _, ground := range []Role{RoleBackground, RoleSurface, RoleSunken} {
		pairs = append(pairs, Pair{RoleSuccess, ground}, Pair{RoleWarning, ground})
	}
	for _, ground := range []Role{RoleSuccessSoft, RoleWarningSoft, RoleDangerSoft} {
		pairs = append(pairs, Pair{RoleText, ground}, Pair{RoleSecondary, ground})
	}
	return pairs
}

func rgb(hex uint32) color.NRGBA {
	return color.NRGBA{R: uint8(hex >> 16), G: uint8(hex >> 8), B: uint8(hex), A: 0xFF}
}

func hexOf(c color.NRGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

// veil is c at the given opacity (0 to 255), for Fyne's own overlays.
func veil(c color.NRGBA, opacity uint8) color.NRGBA {
	c.A = opacity
	return c
}
