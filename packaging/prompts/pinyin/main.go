// Command pinyin turns Chinese on stdin into numbered pinyin on stdout, for the voice that reads only this.
package main

import (
	"fmt"
	"io"
	"os"

	"bianmin/app/device/speech"
)

func main() {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(speech.Pinyin(string(text)))
}
