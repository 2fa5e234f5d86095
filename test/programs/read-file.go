// Prints the file that its argument names.
package main

import (
	"os"
)

func main() {
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		println(err.Error())
		os.Exit(1)
	}
	os.Stdout.Write(text)
}
