// Package rare finds characters that an input method by pinyin does not offer: those of GB 18030-2022 level 3 and its
// amendment, more than 98,000 in all.
//
// [Load] opens the table that the program carries, once; [Table.Find] takes what a person knows of a character: how it is
// read, its radical and strokes, its parts ("木+辰"), or its code point ("U+20BB7"). The table is made by
// packaging/rare/gen; docs/rare.md says from what.
package rare
