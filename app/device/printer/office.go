package printer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	ipp "github.com/phin1x/go-ipp"

	"bianmin/app/device/pdf"
	"bianmin/offline/paper"
	"bianmin/offline/words"
)

// office is a printer that takes PDF by IPP (RFC 8010, RFC 8011): a printer on the network, or a queue of CUPS.
type office struct {
	config Config
	o      Options
}

// Values of IPP that the library has no names for.
const (
	stateStopped = 5 // printer-state, RFC 8011 §5.4.11

	jobCanceled  = 7 // job-state, RFC 8011 §5.3.7
	jobAborted   = 8
	jobCompleted = 9

	statusSuccess = 0x0100 // everything below is a success, RFC 8011 §4.1.6.1
	maxAnswer     = 1 << 20
	// documentFormats is an attribute that the library has no name for.
	documentFormats = "document-format-supported"
	user            = "bianmin" // no operator's name leaves the machine
)

// reasons maps printer-state-reasons (RFC 8011 §5.4.12, PWG 5100.9) to words. A suffix such as "-error" is cut before.
var reasons = map[string]string{
	"media-empty": "print.paperOut", "media-needed": "print.paperOut", "input-tray-missing": "print.paperOut",
	"media-jam": "print.jam", "cover-open": "print.coverOpen", "door-open": "print.coverOpen", "interlock-open": "print.coverOpen",
	"toner-empty": "print.tonerOut", "marker-supply-empty": "print.tonerOut", "developer-empty": "print.tonerOut",
	"offline": "print.offline", "shutdown": "print.offline", "connecting-to-device": "print.offline", "timed-out": "print.offline",
	"paused": "print.paused", "moving-to-paused": "print.paused", "output-area-full": "print.full",
}

// State asks the printer about itself.
func (p *office) State(ctx context.Context) (State, error) {
	s, _, err := p.ask(ctx)
	return s, err
}

// ask returns the state and whether the printer takes PDF.
func (p *office) ask(ctx context.Context) (State, bool, error) {
	req := p.request(ipp.OperationGetPrinterAttributes)
	req.OperationAttributes[ipp.AttributeRequestedAttributes] = []string{
		ipp.AttributePrinterState, ipp.AttributePrinterStateReasons, ipp.AttributePrinterIsAcceptingJobs, documentFormats,
	}
	resp, err := p.send(ctx, req)
	if err != nil {
		return State{}, false, err
	}
	if len(resp.PrinterAttributes) == 0 {
		return State{}, false, words.New("print.noIPP", errors.New("printer: no attributes"))
	}
	at := resp.PrinterAttributes[0]
	var s State
	for _, r := range texts(at[ipp.AttributePrinterStateReasons]) {
		r = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(r, "-error"), "-warning"), "-report")
		if strings.HasSuffix(r, "-low") {
			s.Low = true
		}
		if key := reasons[r]; key != "" && s.Trouble == "" {
			s.Trouble = key
		}
	}
	if s.Trouble == "" && number(at[ipp.AttributePrinterState]) == stateStopped {
		s.Trouble = "print.stopped"
	}
	if a := at[ipp.AttributePrinterIsAcceptingJobs]; s.Trouble == "" && len(a) > 0 && a[0].Value == false {
		s.Trouble = "print.refuses"
	}
	formats := texts(at[documentFormats])
	return s, len(formats) == 0 || slices.Contains(formats, "application/pdf"), nil
}

// Print prints one sheet.
func (p *office) Print(ctx context.Context, begin func() (*paper.Sheet, error)) error {
	s, takes, err := p.ask(ctx)
	switch {
	case err != nil:
		return err
	case s.Trouble != "":
		return words.New(s.Trouble, nil)
	case !takes:
		return words.New("print.noPDF", nil)
	}
	sheet, err := begin()
	if err != nil {
		return err
	}
	doc, err := pdf.Encode(sheet)
	if err != nil {
		return started(err)
	}
	if err := p.print(ctx, doc); err != nil {
		return started(err)
	}
	return nil
}

// print hands the document over and waits until it is printed. A print server keeps documents that wait in its own folder,
// in clear; so one that does not get on is taken back, and what was printed is asked to be forgotten.
func (p *office) print(ctx context.Context, doc []byte) error {
	req := p.request(ipp.OperationPrintJob)
	req.OperationAttributes[ipp.AttributeJobName] = user
	req.OperationAttributes[ipp.AttributeDocumentFormat] = "application/pdf"
	req.File, req.FileSize = bytes.NewReader(doc), len(doc)
	resp, err := p.send(ctx, req)
	if err != nil {
		return err
	}
	if len(resp.JobAttributes) == 0 {
		return words.New("print.noIPP", errors.New("printer: no job"))
	}
	job := number(resp.JobAttributes[0][ipp.AttributeJobID])
	err = p.follow(ctx, job)
	// Also when ctx has ended: the document must not stay there.
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.o.Answer+4*time.Second)
	defer cancel()
	gone := p.request(ipp.OperationCancelJob)
	gone.OperationAttributes[ipp.AttributeJobID] = job
	gone.OperationAttributes["purge-job"] = true
	_, cerr := p.send(end, gone)
	if err != nil {
		return errors.Join(err, cerr)
	}
	return nil // printed; a printer that keeps no jobs refuses to forget them
}

// follow waits until a job is printed.
func (p *office) follow(ctx context.Context, job int) error {
	end := time.Now().Add(p.o.Done)
	for {
		req := p.request(ipp.OperationGetJobAttributes)
		req.OperationAttributes[ipp.AttributeJobID] = job
		req.OperationAttributes[ipp.AttributeRequestedAttributes] = []string{ipp.AttributeJobState}
		resp, err := p.send(ctx, req)
		if err != nil {
			return err
		}
		if len(resp.JobAttributes) == 0 {
			return words.New("print.noIPP", errors.New("printer: no job"))
		}
		switch number(resp.JobAttributes[0][ipp.AttributeJobState]) {
		case jobCompleted:
			return nil
		case jobCanceled, jobAborted:
			return words.New("print.aborted", nil)
		}
		s, _, err := p.ask(ctx)
		switch {
		case err != nil:
			return err
		case s.Trouble != "":
			return words.New(s.Trouble, nil)
		case time.Now().After(end):
			return words.New("print.stuck", nil)
		}
		if err := pause(ctx, p.o.Poll); err != nil {
			return err
		}
	}
}

func (p *office) request(op int16) *ipp.Request {
	req := ipp.NewRequest(op, 1)
	req.OperationAttributes[ipp.AttributePrinterURI] = p.config.Address
	req.OperationAttributes[ipp.AttributeRequestingUserName] = user
	return req
}

// send does one exchange. The library's own client gives up with "successful, attributes ignored" and knows no context.
func (p *office) send(ctx context.Context, req *ipp.Request) (*ipp.Response, error) {
	head, err := req.Encode()
	if err != nil {
		return nil, fmt.Errorf("printer: encode request: %w", err)
	}
	size := len(head)
	var body io.Reader = bytes.NewReader(head)
	if req.File != nil {
		body = io.MultiReader(body, req.File)
		size += req.FileSize
	}
	hr, err := http.NewRequestWithContext(ctx, http.MethodPost, webAddress(p.config.Address), body)
	if err != nil {
		return nil, words.New("print.badAddress.ipp", err)
	}
	hr.ContentLength = int64(size)
	hr.Header.Set("Content-Type", ipp.ContentTypeIPP)
	client := &http.Client{Timeout: p.o.Write, Transport: &http.Transport{DisableKeepAlives: true}} // no proxy: the printer is near
	answer, err := client.Do(hr)
	if err != nil {
		return nil, words.New("print.unreachable", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, words.New("print.noIPP", fmt.Errorf("printer: HTTP %d", answer.StatusCode))
	}
	raw, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return nil, words.New("print.broke", err)
	}
	resp, err := ipp.NewResponseDecoder(bytes.NewReader(raw)).Decode(nil)
	if err != nil {
		return nil, words.New("print.noIPP", err)
	}
	if resp.StatusCode < 0 || resp.StatusCode >= statusSuccess {
		return nil, words.New("print.refused", resp.CheckForErrors())
	}
	return resp, nil
}

// webAddress is where an ipp address is posted to (RFC 8010 §4.2, RFC 7472).
func webAddress(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address // Check refused it
	}
	port := u.Port()
	if port == "" {
		port = "631"
	}
	u.Host = u.Hostname() + ":" + port
	if strings.Contains(u.Hostname(), ":") {
		u.Host = "[" + u.Hostname() + "]:" + port
	}
	u.Scheme = map[string]string{"ipp": "http", "ipps": "https"}[u.Scheme]
	return u.String()
}

// texts returns the values of an attribute.
func texts(list []ipp.Attribute) []string {
	var out []string
	for _, a := range list {
		if s, ok := a.Value.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func number(list []ipp.Attribute) int {
	if len(list) == 0 {
		return 0
	}
	n, ok := list[0].Value.(int)
	if !ok {
		return 0
	}
	return n
}
