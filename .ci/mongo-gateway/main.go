// Mongo-gateway speaks the MongoDB wire protocol in front of a PostgreSQL with the DocumentDB extension, for tests.
// It asks for no authentication, so it listens on loopback.
package main

import (
	"context"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/FerretDB/FerretDB/v2/ferretdb"
)

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: mongo-gateway POSTGRESQL_URL LISTEN_ADDRESS STATE_DIRECTORY")
	}
	telemetry := false
	gateway, err := ferretdb.New(&ferretdb.Config{
		PostgreSQLURL: os.Args[1],
		ListenAddr:    os.Args[2],
		StateDir:      os.Args[3],
		LogLevel:      slog.LevelWarn,
		LogOutput:     os.Stderr,
		Telemetry:     &telemetry,
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	gateway.Run(ctx)
}
