// Prints, for each name of the arguments, its addresses, its SRV, TXT and MX records, or the error.
package main

import (
	"fmt"
	"net"
	"os"
	"sort"
)

func main() {
	for _, name := range os.Args[1:] {
		addresses, err := net.LookupHost(name)
		sort.Strings(addresses)
		fmt.Println(name, addresses, err)
		texts, err := net.LookupTXT(name)
		fmt.Println(name, len(texts), err)
		_, services, err := net.LookupSRV("http", "tcp", name)
		for _, service := range services {
			fmt.Println(name, *service)
		}
		fmt.Println(name, err)
	}
	host, _ := os.Hostname()
	fmt.Println(host)
}
