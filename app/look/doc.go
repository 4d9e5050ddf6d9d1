// Package look is the visual ground of Bianmin: one theme, one set of measures, and the parts every screen is made of.
//
// # How a screen is composed
//
// A screen never names a colour, a font size or a distance. It stacks parts:
//
//	body := look.Column(look.VStack(look.Gap3,
//		look.PageTitle("高龄津贴"),
//		look.Card(
//			look.Title("申请人"),
//			look.KeyValue("姓名", "王秀兰"),
//			look.NewFieldFrame("手机号码", input.NewPhone()),
//		),
//	))
//	page := look.Page(look.Head(steps), input.NewScroll(body), look.ActionBar(left, later, next))
//	window.SetContent(look.Frame(topBar, rail, page, keyboard))
//
// Rules that keep screens alike:
//
//   - One [Primary] button a screen, last in the [ActionBar], bottom right, outside the scrolled part.
//   - [VStack] and [HStack] instead of Fyne's boxes: they know that Chinese text grows in height when it gets
//     narrower, and they look their gaps up each time they lay out.
//   - Distances are [Gap] tokens, whole or half steps of the grid (8, or 12 in the old-age sizes).
//   - A state is a [Badge], a [StatusDot] or a [Banner]: colour together with a shape and a word.
//   - Text beside other things in an HStack takes the width it likes; wrap it in [Grow] when it should take the rest.
//   - An input sits in a [FieldFrame]: label above, help and error below, in words.
//
// # Switching live
//
// [Set] changes the [Mode] while the program runs. Nothing keeps a colour or a size: parts ask for them whenever they
// are laid out or refreshed, and Fyne refreshes everything when the theme is set. Language works the same way:
// [SetLang], then the screens show their texts anew.
//
// Everything here belongs to the UI goroutine.
package look
