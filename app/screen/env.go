// Package screen builds what is seen: one type a screen, each with a constructor, an Object, a Show and callbacks. Screens
// hold no rules (package vm does) and are used on the UI goroutine only.
package screen

import "fyne.io/fyne/v2"

// Page names a screen.
type Page string

// The screens.
const (
	PageLogin    Page = "login"
	PageHome     Page = "home"
	PageServices Page = "services" // Arg: "", or "for:<person id>" to choose an item for somebody
	PageGuide    Page = "guide"    // Arg: "<service>" or "<service>:<person id>"
	PageWizard   Page = "wizard"   // Arg: "draft:<id>", "new:<service>[:<person id>]", "correct:<case seq>" or "papers:<case seq>"
	PageReceipt  Page = "receipt"  // Arg: "<case seq>" or "<case seq>:<stage>"
	PageCases    Page = "cases"    // Arg: filter, "" for all
	PageCase     Page = "case"     // Arg: case seq
	PageSync     Page = "sync"
	PageSettings Page = "settings"
	PageKiosk    Page = "kiosk"
	PageScan     Page = "scan"     // self-service: how to scan a receipt
	PageProgress Page = "progress" // self-service: how far one's cases are. Arg: vm.ByLink, ByNumber or ByCard and what was shown
	// PageOperators is reached from the settings: who may log in.
	PageOperators Page = "operators"
	// PagePrinters is reached from the settings and from receipts: printers, and what waits to be printed.
	PagePrinters Page = "printers"
)

// Route is where to go.
type Route struct {
	Page Page
	Arg  string
}

// View is a screen as the frame holds it.
type View interface {
	// Title is the page title in the top bar.
	Title() string
	// Object is the screen's content; always the same object.
	Object() fyne.CanvasObject
	// Refresh shows the newest state; called when something changed outside the screen, on the UI goroutine.
	Refresh()
	// Leave is called once, before the screen goes away. It saves what must be saved.
	Leave()
}

// Focuser is a view that says where the keyboard goes when it appears.
type Focuser interface{ FocusFirst(c fyne.Canvas) }

// Primary is a view whose primary button Enter presses.
type Primary interface{ TapPrimary() }

// Searchable is a view with a search field for Ctrl+F.
type Searchable interface{ FocusSearch(c fyne.Canvas) }

// Env is what every screen may use. All functions are called on the UI goroutine, and none is nil unless said.
type Env struct {
	// T returns a text; pairs are placeholder names and values in turn.
	T func(key string, pairs ...string) string
	// Lang is "zh" or "en".
	Lang func() string
	// Post runs fn on the UI goroutine; callable from any goroutine.
	Post func(fn func())
	// Work runs fn off the UI goroutine; inline in tests. Results come back with Post.
	Work func(fn func())
	Go   func(Route)
	Back func()
	// Confirm asks before something is lost; then runs only on yes. danger colours the yes button.
	Confirm func(title, text, yes string, danger bool, then func())
	// PickFile lets the clerk choose a file; exts such as ".jpg". then gets name and bytes, and is not called on cancel.
	PickFile func(exts []string, then func(name string, data []byte))
	// SaveFile offers to save data under name.
	SaveFile func(name string, data []byte)
	// Say shows a short message at the top of the content: kind "info", "ok", "warn" or "danger".
	Say func(kind, text string)
	// Fail shows an error in words and logs its cause.
	Fail func(err error)
	// Public reports whether a person is alone with the machine: then nothing of anybody else may be seen.
	Public func() bool
	// End ends the visit of who is alone with the machine, leaving nothing of them.
	End func()
	// Speak says texts aloud, in place of what is being said; nil where nothing speaks.
	Speak func(texts ...string)
	// ReadAloud reads the whole screen; nil where nothing speaks.
	ReadAloud func()
	// DemoPINs are shown on the login screen; nil outside demo mode.
	DemoPINs map[string]string
	// DemoNetwork cuts (false) and restores (true) the sample county's network; nil outside demo mode.
	DemoNetwork func(on bool)
	// Devices are what is connected to the machine; nil: nothing is.
	Devices *Devices
	// Window is the parent for dialogs; may be nil in tests.
	Window fyne.Window
}
