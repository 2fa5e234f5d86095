// The pod and the callers of the benchmarks: an HTTP server, and clients that measure requests, a download and an upload.
//
//	load serve ADDRESS:PORT                    GET /small answers 200 bytes, GET /big?bytes=N answers N bytes, POST /sink reads all
//	load stand ADDRESS:PORT                    the process: the same, but GET /big answers nothing, since nobody gets its answers
//	load requests ADDRESS:PORT COUNT CALLERS [PER_SECOND]   prints {"p50Us":..,"p99Us":..,"perSecond":..,"failed":..}
//	load download ADDRESS:PORT BYTES           prints {"seconds":..}
//	load upload ADDRESS:PORT BYTES [PER_SECOND]   prints {"seconds":..}
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

func main() {
	command, address := os.Args[1], os.Args[2]
	number := func(i int) int {
		if i >= len(os.Args) {
			return 0
		}
		n, _ := strconv.Atoi(os.Args[i])
		return n
	}
	switch command {
	case "serve":
		serve(address, true)
	case "stand":
		serve(address, false)
	case "requests":
		requests(address, number(3), number(4), number(5))
	case "download":
		timed(func() { get("http://" + address + "/big?bytes=" + os.Args[3]) })
	case "upload":
		timed(func() { upload("http://"+address+"/sink", number(3), number(4)) })
	}
}

func serve(address string, answers bool) {
	small, block := bytes.Repeat([]byte("s"), 200), bytes.Repeat([]byte("b"), 1<<16)
	http.HandleFunc("/small", func(w http.ResponseWriter, r *http.Request) { w.Write(small) })
	http.HandleFunc("/big", func(w http.ResponseWriter, r *http.Request) {
		left, _ := strconv.Atoi(r.URL.Query().Get("bytes"))
		if !answers {
			left = 0
		}
		w.Header().Set("Content-Length", strconv.Itoa(left))
		for ; left > 0; left -= len(block) {
			if _, err := w.Write(block[:min(left, len(block))]); err != nil {
				return
			}
		}
	})
	http.HandleFunc("/sink", func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprintln(w, n)
	})
	listener, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("listening")
	go func() { io.Copy(io.Discard, os.Stdin); os.Exit(0) }() // ends with its owner
	http.Serve(listener, nil)
}

// With a rate each caller begins its requests at even times, else one after the other.
func requests(address string, count, callers, perSecond int) {
	var group sync.WaitGroup
	var mutex sync.Mutex
	var all []time.Duration
	failed := 0
	begin := time.Now()
	for caller := 0; caller < callers; caller++ {
		group.Add(1)
		go func() {
			defer group.Done()
			client := &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}
			mine, wrong := make([]time.Duration, 0, count/callers), 0
			for i := 0; i < count/callers; i++ {
				if perSecond > 0 {
					time.Sleep(time.Until(begin.Add(time.Duration(i*callers) * time.Second / time.Duration(perSecond))))
				}
				t := time.Now()
				response, err := client.Get("http://" + address + "/small")
				if err == nil {
					_, err = io.Copy(io.Discard, response.Body)
					response.Body.Close()
				}
				if err != nil {
					wrong++
				}
				mine = append(mine, time.Since(t))
			}
			mutex.Lock()
			all, failed = append(all, mine...), failed+wrong
			mutex.Unlock()
		}()
	}
	group.Wait()
	seconds := time.Since(begin).Seconds()
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	us := func(q float64) float64 { return float64(all[int(q*float64(len(all)-1))].Nanoseconds()) / 1000 }
	show(map[string]any{"p50Us": us(0.5), "p99Us": us(0.99), "perSecond": float64(len(all)) / seconds, "failed": failed})
}

func get(url string) {
	response, err := http.Get(url)
	must(err)
	_, err = io.Copy(io.Discard, response.Body)
	must(err)
}

// As fast as the server reads, or so many bytes a second.
func upload(url string, size, perSecond int) {
	var body io.Reader = zeros{}
	if perSecond > 0 {
		// The copy of a connection takes a moment to begin; the upload goes on on the same one.
		get("http://" + strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/sink") + "/small")
		time.Sleep(time.Second)
		body = &paced{perSecond: perSecond, begin: time.Now()}
	}
	response, err := http.Post(url, "application/octet-stream", io.LimitReader(body, int64(size)))
	must(err)
	io.Copy(io.Discard, response.Body)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

type paced struct {
	perSecond, read int
	begin           time.Time
}

func (p *paced) Read(into []byte) (int, error) {
	time.Sleep(time.Until(p.begin.Add(time.Duration(float64(p.read) / float64(p.perSecond) * float64(time.Second)))))
	p.read += len(into)
	return len(into), nil
}

func timed(work func()) {
	begin := time.Now()
	work()
	show(map[string]any{"seconds": time.Since(begin).Seconds()})
}

func show(value any) {
	line, _ := json.Marshal(value)
	fmt.Println(string(line))
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
