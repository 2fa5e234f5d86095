// Sends datagrams to ADDRESS PORT: over net.Dial, over net.ListenUDP, in messages, and to a port where nobody is.
package main

import (
	"fmt"
	"net"
	"os"
	"regexp"
	"strconv"
	"sync"
	"time"
)

var number = regexp.MustCompile(` \d+ `)

func bare(said []byte) string { return number.ReplaceAllString(string(said), " ") }

func must(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func main() {
	port, _ := strconv.Atoi(os.Args[2])
	peer := &net.UDPAddr{IP: net.ParseIP(os.Args[1]), Port: port}
	buffer := make([]byte, 100)

	tied, err := net.Dial("udp", peer.String())
	must(err)
	tied.SetDeadline(time.Now().Add(10 * time.Second))
	_, err = tied.Write([]byte("hello"))
	must(err)
	count, err := tied.Read(buffer)
	must(err)
	own := tied.LocalAddr().(*net.UDPAddr)
	fmt.Println("dialled", bare(buffer[:count]), tied.RemoteAddr(), own.IP)

	free, err := net.ListenUDP("udp", nil)
	must(err)
	free.SetDeadline(time.Now().Add(10 * time.Second))
	_, err = free.WriteTo([]byte("hello"), peer)
	must(err)
	count, from, err := free.ReadFrom(buffer)
	must(err)
	fmt.Println("listening", bare(buffer[:count]), from)
	_, _, err = free.WriteMsgUDP([]byte("message"), nil, peer)
	must(err)
	count, _, _, source, err := free.ReadMsgUDP(buffer, nil)
	must(err)
	fmt.Println("message", bare(buffer[:count]), source)

	var group sync.WaitGroup
	answers := make(chan string, 50)
	for index := 0; index < 50; index++ {
		group.Add(1)
		go func() {
			defer group.Done()
			made, err := net.Dial("udp", peer.String())
			if err != nil {
				answers <- err.Error()
				return
			}
			defer made.Close()
			made.SetDeadline(time.Now().Add(10 * time.Second))
			made.Write([]byte("many"))
			own := make([]byte, 100)
			count, err := made.Read(own)
			if err != nil {
				answers <- err.Error()
				return
			}
			answers <- bare(own[:count])
		}()
	}
	group.Wait()
	close(answers)
	all := map[string]int{}
	for answer := range answers {
		all[answer]++
	}
	fmt.Println("many", all)

	lost, err := net.DialUDP("udp", nil, &net.UDPAddr{IP: peer.IP, Port: port + 1})
	must(err)
	lost.SetDeadline(time.Now().Add(10 * time.Second))
	lost.Write([]byte("anyone"))
	_, err = lost.Read(buffer)
	fmt.Println("refused", number.ReplaceAllString(fmt.Sprint(err.(*net.OpError).Err), " "))
}
