// A Go server: a goroutine accepts, each connection is served by one of its own, and sixty-four threads are kept busy meanwhile.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"time"
)

func main() {
	address := "0.0.0.0"
	if len(os.Args) > 2 {
		address = os.Args[2]
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(address, os.Args[1]))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for i := 0; i < 64; i++ {
		go func() {
			runtime.LockOSThread()
			for {
				time.Sleep(20 * time.Millisecond)
			}
		}()
	}
	fmt.Printf("ready %d\n", listener.Addr().(*net.TCPAddr).Port)
	for {
		connection, err := listener.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		go serve(connection)
	}
}

func serve(connection net.Conn) {
	defer connection.Close()
	id, _ := io.ReadAll(connection)
	file, _ := connection.(*net.TCPConn).File()
	defer file.Close()
	copied, _ := net.FileConn(file)
	defer copied.Close()
	fmt.Printf("conn %s %s %s %s\n", id, text(connection.RemoteAddr()), text(copied.RemoteAddr()), text(connection.LocalAddr()))
	fmt.Fprintf(connection, "ok %s", id)
}

func text(address net.Addr) string {
	tcp := address.(*net.TCPAddr)
	return fmt.Sprintf("%s %d", tcp.IP, tcp.Port)
}
