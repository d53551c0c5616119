package api_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// TestQuotaUnderConcurrency: clients race for credits by reservations, some settled above and some below, some released, all with a retry;
// and for a limit on calls. Nothing is used twice, nothing is lost, and exactly as many calls get through as are allowed.
func TestQuotaUnderConcurrency(t *testing.T) {
	const (
		clients, rounds = 8, 8
		calls           = 30
		granted         = 30
	)
	s := start(t)
	s.createLog("acme")
	s.want(http.StatusCreated, s.call("POST", "/logs/acme/views/quota", fmt.Sprintf(`{"ready":"quota","config":{
		"limits":[{"name":"calls","type":"call","window":"year","limit":%d}],
		"credits":{"type":"none","value":"/cost","over_reservation":"cap"}}}`, calls)))
	s.want(http.StatusCreated, s.call("POST", "/logs/acme/append", fmt.Sprintf(`{"type":"grant","grant":"all","amount":%d}`, granted)))

	var admitted, reserved, waits atomic.Int64
	var settled sync.Map // names of reservations to amounts
	appendTwice := func(event string) reply {
		first, err := s.try("POST", "/logs/acme/append", strings.NewReader(event))
		if err == nil && first.status == http.StatusCreated {
			var again reply
			if again, err = s.try("POST", "/logs/acme/append", strings.NewReader(event)); again.status != http.StatusOK {
				t.Errorf("again: %d: %s", again.status, again.body)
			}
		}
		if err != nil {
			t.Error(err)
		}
		return first
	}
	var wait sync.WaitGroup
	for client := range clients {
		wait.Go(func() {
			for round := range rounds {
				name := fmt.Sprintf("r-%d-%d", client, round)
				switch r := appendTwice(`{"id":"call-` + name + `","type":"call"}`); r.status {
				case http.StatusCreated:
					admitted.Add(1)
				case http.StatusTooManyRequests:
					if r.header.Get("Retry-After") != "" && strings.Contains(string(r.body), `"remaining":"0"`) {
						waits.Add(1)
					}
				default:
					t.Errorf("a call: %d: %s", r.status, r.body)
				}
				r := appendTwice(`{"id":"reserve-` + name + `","type":"reserve","reservation":"` + name + `","amount":"1.5","ttl":86400}`)
				if r.status == http.StatusPaymentRequired {
					continue
				}
				reserved.Add(1)
				amount := []string{"0.75", "1.5", "9", ""}[(client+round)%4]
				end := `{"id":"end-` + name + `","type":"settle","reservation":"` + name + `","amount":"` + amount + `"}`
				if amount == "" {
					end = `{"id":"end-` + name + `","type":"release","reservation":"` + name + `"}`
				} else {
					settled.Store(name, map[string]string{"0.75": "0.75", "1.5": "1.5", "9": "1.5"}[amount])
				}
				if r := appendTwice(end); r.status != http.StatusCreated {
					t.Errorf("%s: %d: %s", end, r.status, r.body)
				}
			}
		})
	}
	wait.Wait()
	if admitted.Load() != calls || waits.Load() != clients*rounds-calls {
		t.Errorf("%d calls are admitted and %d told to wait; the limit is %d of %d", admitted.Load(), waits.Load(), calls, clients*rounds)
	}
	used := new(big.Rat)
	settled.Range(func(_, amount any) bool {
		n, _ := new(big.Rat).SetString(fmt.Sprint(amount))
		used.Add(used, n)
		return true
	})
	var balance struct {
		Balance, Reserved, Overdrawn string
		Reservations                 int
	}
	answer := s.want(http.StatusOK, s.call("GET", "/logs/acme/views/quota/query", ""))
	if err := json.Unmarshal(answer, &balance); err != nil {
		t.Fatal(err)
	}
	left, _ := new(big.Rat).SetString(balance.Balance)
	if sum := new(big.Rat).Add(used, left); sum.Cmp(big.NewRat(granted, 1)) != 0 || balance.Reserved != "0" || balance.Overdrawn != "0" ||
		balance.Reservations != 0 {
		t.Errorf("%s is used of %d, by %d reservations: %s", used.FloatString(2), granted, reserved.Load(), answer)
	}
	if left.Cmp(big.NewRat(3, 2)) >= 0 {
		t.Errorf("%s is left, although reservations were refused: the race was none", balance.Balance)
	}
}
