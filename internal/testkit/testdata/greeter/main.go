// Command greeter is built by the tests.
package main

import "fmt"

var greeting = "hello"

func main() { fmt.Println(greeting) }
