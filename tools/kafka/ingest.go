package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	maxEventBytes = 256 << 10
	maxBatchBytes = 10 << 20
	// maxWaiting bounds the records that wait to be sent; more wait for room.
	maxWaiting = 100_000
	stopTime   = 5 * time.Second
)

// ingest answers a request once Kafka has acknowledged its events.
func ingest(ctx context.Context, broker, topic string, flush bool, linger time.Duration) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.DefaultProduceTopic(topic), kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerLinger(linger), kgo.MaxBufferedRecords(maxWaiting))
	if err != nil {
		return err
	}
	defer client.Close()
	if err := reach(ctx, client); err != nil {
		return err
	}
	if err := makeTopic(ctx, client, topic, flush); err != nil {
		return fmt.Errorf("making topic %s: %w", topic, err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	routes := http.NewServeMux()
	handler := producer{client}
	routes.HandleFunc("POST /logs/{log}/append", handler.single)
	routes.HandleFunc("POST /logs/{log}/append_batch", handler.batch)
	server := &http.Server{Handler: routes, ReadHeaderTimeout: 10 * time.Second}
	fmt.Println("ready", listener.Addr())
	stopped := context.AfterFunc(ctx, func() {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		_ = server.Shutdown(stopping)
	})
	defer stopped()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func makeTopic(ctx context.Context, client *kgo.Client, topic string, flush bool) error {
	request := kmsg.NewPtrCreateTopicsRequest()
	requested := kmsg.NewCreateTopicsRequestTopic()
	requested.Topic, requested.NumPartitions, requested.ReplicationFactor = topic, partitions, 1
	if flush {
		each := kmsg.NewCreateTopicsRequestTopicConfig()
		each.Name, each.Value = "flush.messages", kmsg.StringPtr("1")
		requested.Configs = append(requested.Configs, each)
	}
	request.Topics = append(request.Topics, requested)
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return err
	}
	for _, made := range response.Topics {
		if err := kerr.ErrorForCode(made.ErrorCode); err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			return err
		}
	}
	return nil
}

type producer struct{ client *kgo.Client }

func (p producer) single(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxEventBytes))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.produce(w, r, [][]byte{body})
}

func (p producer) batch(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBatchBytes))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.produce(w, r, bytes.Split(bytes.TrimSpace(body), []byte("\n")))
}

// produce sends events, keyed by their log, and answers when all are acknowledged. Where one is not, the others may be: their
// ids make it safe to send all of them again.
func (p producer) produce(w http.ResponseWriter, r *http.Request, events [][]byte) {
	records := make([]*kgo.Record, len(events))
	key, now := []byte(r.PathValue("log")), time.Now()
	for i, event := range events {
		if event = bytes.TrimSpace(event); len(event) == 0 || event[0] != '{' || !json.Valid(event) {
			http.Error(w, "event "+strconv.Itoa(i+1)+" is not a JSON object", http.StatusBadRequest)
			return
		}
		records[i] = &kgo.Record{Key: key, Value: event, Timestamp: now}
	}
	if err := p.client.ProduceSync(r.Context(), records...).FirstErr(); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"accepted":`+strconv.Itoa(len(events))+`}`)
}
