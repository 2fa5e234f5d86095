// Connections by themselves, without a protocol above TCP: a server, and clients that measure what reaching it takes.
//
//	traffic serve ADDRESS:PORT                          a connection says in a line what it wants: "send N", "receive N" or "echo"
//	traffic download ADDRESS:PORT BYTES STREAMS [STALLED]   BYTES by STREAMS connections at once, beside some that ask and do not read; prints {"seconds":..}
//	traffic upload ADDRESS:PORT BYTES STREAMS           prints {"seconds":..}
//	traffic echo ADDRESS:PORT COUNT                     a byte there and back on one connection; prints {"p50Us":..,"p99Us":..}
//	traffic connects ADDRESS:PORT COUNT AT_ONCE         each connects, has a byte echoed and closes; prints {"perSecond":..}
//	traffic names NAME COUNT AT_ONCE                    by the resolver of Go and /etc/resolv.conf; prints {"perSecond":..}
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"sort"
	"strconv"
	"sync"
	"time"
)

func main() {
	command, place := os.Args[1], os.Args[2]
	number := func(i int) int {
		if i >= len(os.Args) {
			return 0
		}
		n, err := strconv.Atoi(os.Args[i])
		must(err)
		return n
	}
	switch command {
	case "serve":
		serve(place)
	case "download":
		streams(place, number(3), number(4), number(5), "send", func(c net.Conn, bytes int) {
			n, err := io.Copy(io.Discard, c)
			must(err)
			if n != int64(bytes) {
				must(fmt.Errorf("%d bytes came of %d", n, bytes))
			}
		})
	case "upload":
		streams(place, number(3), number(4), 0, "receive", func(c net.Conn, bytes int) {
			send(c, bytes)
			answer, err := bufio.NewReader(c).ReadString('\n')
			must(err)
			if answer != fmt.Sprintf("%d\n", bytes) {
				must(fmt.Errorf("the server received %q of %d bytes", answer, bytes))
			}
		})
	case "echo":
		echo(place, number(3))
	case "connects":
		perSecond(number(3), number(4), func() {
			c := begin(place, "echo")
			exchange(c)
			c.Close()
		})
	case "names":
		perSecond(number(3), number(4), func() {
			_, err := net.DefaultResolver.LookupHost(context.Background(), place)
			must(err)
		})
	}
}

func serve(address string) {
	listener, err := net.Listen("tcp", address)
	must(err)
	fmt.Println("listening")
	go func() { io.Copy(io.Discard, os.Stdin); os.Exit(0) }() // ends with its owner
	for {
		c, err := listener.Accept()
		must(err)
		go answer(c)
	}
}

func answer(c net.Conn) {
	defer c.Close()
	reader := bufio.NewReader(c)
	line, err := reader.ReadString('\n')
	if err != nil {
		return
	}
	var what string
	var bytes int
	fmt.Sscanf(line, "%s %d", &what, &bytes)
	switch what {
	case "send":
		send(c, bytes)
	case "receive":
		n, _ := io.CopyN(io.Discard, reader, int64(bytes))
		fmt.Fprintf(c, "%d\n", n)
	case "echo":
		io.Copy(c, reader)
	}
}

// An error is for whoever reads to find out.
func send(c net.Conn, bytes int) {
	block := make([]byte, 1<<16)
	for left := bytes; left > 0; left -= len(block) {
		if _, err := c.Write(block[:min(left, len(block))]); err != nil {
			return
		}
	}
}

func begin(address, line string) net.Conn {
	c, err := net.DialTimeout("tcp", address, 10*time.Second)
	must(err)
	_, err = io.WriteString(c, line+"\n")
	must(err)
	return c
}

func exchange(c net.Conn) {
	var byte [1]byte
	_, err := c.Write(byte[:])
	must(err)
	_, err = io.ReadFull(c, byte[:])
	must(err)
}

func streams(address string, bytes, count, stalled int, want string, carry func(net.Conn, int)) {
	for i := 0; i < stalled; i++ {
		c := begin(address, fmt.Sprintf("send %d", 1<<40))
		_, err := io.ReadFull(c, make([]byte, 1))
		must(err)
		defer c.Close()
	}
	each := bytes / count
	var group sync.WaitGroup
	start := time.Now()
	for i := 0; i < count; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			c := begin(address, fmt.Sprintf("%s %d", want, each))
			carry(c, each)
			c.Close()
		}()
	}
	group.Wait()
	show(map[string]float64{"seconds": time.Since(start).Seconds()})
}

func echo(address string, count int) {
	c := begin(address, "echo")
	exchange(c)
	all := make([]time.Duration, count)
	for i := range all {
		start := time.Now()
		exchange(c)
		all[i] = time.Since(start)
	}
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	us := func(q float64) float64 { return float64(all[int(q*float64(count-1))].Nanoseconds()) / 1000 }
	show(map[string]float64{"p50Us": us(0.5), "p99Us": us(0.99)})
}

func perSecond(count, atOnce int, work func()) {
	var group sync.WaitGroup
	start := time.Now()
	for i := 0; i < atOnce; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for n := 0; n < count/atOnce; n++ {
				work()
			}
		}()
	}
	group.Wait()
	done := count / atOnce * atOnce
	show(map[string]float64{"perSecond": float64(done) / time.Since(start).Seconds()})
}

func show(value map[string]float64) {
	line, _ := json.Marshal(value)
	fmt.Println(string(line))
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
