// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The echod developers

// Go's net: a goroutine a connection that reads and writes, and one for datagrams. go PORT [copy]
// With "copy" it is io.Copy(c, c), which most programs in Go use, and which splices on Linux.
package main

import (
	"io"
	"log"
	"net"
	"os"
)

func echo(c net.Conn) {
	defer c.Close()
	buffer := make([]byte, 64*1024)
	for {
		n, err := c.Read(buffer)
		if err != nil {
			return
		}
		if _, err := c.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func echoCopy(c net.Conn) {
	defer c.Close()
	io.Copy(c, c)
}

func echoDatagrams(address string) {
	where, _ := net.ResolveUDPAddr("udp4", address)
	c, err := net.ListenUDP("udp4", where)
	if err != nil {
		log.Fatal(err)
	}
	buffer := make([]byte, 64*1024)
	for {
		n, peer, err := c.ReadFromUDPAddrPort(buffer)
		if err == nil {
			c.WriteToUDPAddrPort(buffer[:n], peer)
		}
	}
}

func main() {
	address := "127.0.0.1:" + os.Args[1]
	serve := echo
	if len(os.Args) > 2 {
		serve = echoCopy
	}
	listener, err := net.Listen("tcp4", address)
	if err != nil {
		log.Fatal(err)
	}
	go echoDatagrams(address)
	for {
		c, err := listener.Accept()
		if err == nil {
			go serve(c)
		}
	}
}
