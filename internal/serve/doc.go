// Package serve is the command line of a program and the processes that it makes: the master,
// the workers' processes under it, and the commands that ask a running master.
//
// What a process is to do is known before main begins. [TakeArguments] reads the role that a
// master has put into the environment, or else takes the command and its options out of
// os.Args. [RunAll] then does it:
//
//	start       supervise: the master, here or in the background (package master)
//	a worker    runProcess: serves what the master names, and answers its questions
//	describe    tells a master what this program wants to run
//	commands    ask the master over the socket beside the pid file
//
// The package knows no connection. What is served it has from a [Program], which package
// workerman implements. On systems without a master there is only [RunHere].
package serve
