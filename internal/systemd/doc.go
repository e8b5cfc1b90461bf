// Package systemd speaks with the service manager that started the program: it tells how the
// program does, answers its watchdog, takes sockets that it has opened, and writes units for
// it. Where there is no systemd everything is quietly nothing.
package systemd
