// Asks for each URL 50 times at once, and prints each different outcome.
package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sort"
	"sync"
	"syscall"
)

func fetch(url string) string {
	answer, err := http.Get(url)
	if err != nil {
		var errno syscall.Errno
		if errors.As(err, &errno) {
			return errno.Error()
		}
		return err.Error()
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	return string(text)
}

func main() {
	for _, url := range os.Args[1:] {
		var lock sync.Mutex
		var group sync.WaitGroup
		outcomes := map[string]int{}
		for count := 0; count < 50; count++ {
			group.Add(1)
			go func() {
				defer group.Done()
				outcome := fetch(url)
				lock.Lock()
				outcomes[outcome]++
				lock.Unlock()
			}()
		}
		group.Wait()
		lines := []string{}
		for outcome, count := range outcomes {
			lines = append(lines, fmt.Sprintf("%d times %s", count, outcome))
		}
		sort.Strings(lines)
		for _, line := range lines {
			fmt.Println(line)
		}
	}
}
