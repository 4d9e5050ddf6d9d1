package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

// bbolt follows page numbers without asking where they lead: a page that leads back to itself sends it in circles, and a
// cursor's memory grows with every turn until the machine has none left. So before anything is looked up, the tree is gone
// through here, reading nothing but page heads and the branches: every page is reached once, and lies in the file.

// Layout of bbolt's pages, version 2; all integers are in the machine's order, which is little-endian wherever we run.
const (
	pageHead    = 16 // id u64, flags u16, count u16, overflow u32
	pageElement = 16 // branch: pos u32, ksize u32, pgid u64; leaf: flags u32, pos u32, ksize u32, vsize u32
	flagBranch  = 0x01
	flagLeaf    = 0x02
	flagFree    = 0x10
	leafBucket  = 0x01
	bucketHead  = 16 // root u64, sequence u64; a small bucket's page follows
	metaSize    = 64
	metaMagic   = 0xED0CDAED
	// bucketLevels is how deep buckets lie in buckets: former, a number, branch, its buckets.
	bucketLevels = 4
)

// pageTree checks one file.
type pageTree struct {
	r       io.ReaderAt
	size    int64 // bytes of a page
	high    uint64
	free    uint64   // page of the list of free pages
	visited []uint64 // bits
	deep    bool     // whether all that an element points to must lie in its page, and no page may reach out of the file
}

// checkPages goes through the tree of a bbolt file of that many bytes. Error: ErrDamaged.
func checkPages(r io.ReaderAt, pageSize int, length int64) error {
	return (&pageTree{r: r, size: int64(pageSize)}).check(length)
}

// checkElements goes through the tree as checkPages does, and through every element of every page: bbolt's own check follows
// them in a goroutine of its own, where a fault of memory would end the program. Error: ErrDamaged.
func checkElements(r io.ReaderAt, pageSize int, length int64) error {
	return (&pageTree{r: r, size: int64(pageSize), deep: true}).check(length)
}

func (t *pageTree) check(length int64) error {
	root, err := t.meta()
	if err != nil {
		return err
	}
	if t.high > uint64(length/t.size) {
		return fmt.Errorf("%w: %d pages in %d bytes", ErrDamaged, t.high, length)
	}
	t.visited = make([]uint64, t.high/64+1)
	if err := t.bucket(root, 0, true); err != nil {
		return err
	}
	return t.freeList()
}

// freeList checks the list of free pages, when there is one: bbolt allocates as much as it claims, and writes over what it names.
// So it lies in its own pages, and names each page once, and none that the tree reached.
func (t *pageTree) freeList() error {
	const none = ^uint64(0) // the list was not written
	if t.free == none {
		return nil
	}
	fault := func(why string) error { return fmt.Errorf("%w: list of free pages %s", ErrDamaged, why) }
	var head [pageHead + 8]byte
	if t.free < 2 || t.free >= t.high {
		return fault("is not in the file")
	}
	if _, err := t.r.ReadAt(head[:], int64(t.free)*t.size); err != nil {
		return fault("cannot be read")
	}
	at, n, room := int64(t.free)*t.size+pageHead, uint64(binary.LittleEndian.Uint16(head[10:])), t.room(head[:])
	if n == 0xffff { // does not fit: the first entry says how many
		n = binary.LittleEndian.Uint64(head[pageHead:])
		at, room = at+8, room-8
	}
	if binary.LittleEndian.Uint16(head[8:]) != flagFree || t.beyond(t.free, head[:]) || n > uint64(room)/8 {
		return fault("does not end")
	}
	if !t.reach(t.free, uint64(binary.LittleEndian.Uint32(head[12:]))) {
		return fault("lies in pages of the tree")
	}
	part := make([]byte, 8<<10)
	for n > 0 {
		part = part[:min(uint64(len(part)), 8*n)]
		if _, err := t.r.ReadAt(part, at); err != nil {
			return fault("cannot be read")
		}
		for i := 0; i < len(part); i += 8 {
			if id := binary.LittleEndian.Uint64(part[i:]); id < 2 || id >= t.high || !t.reach(id, 0) {
				return fault("names a page that is in use")
			}
		}
		at, n = at+int64(len(part)), n-uint64(len(part)/8)
	}
	return nil
}

// reach notes a page and those that continue it, all of the file, and reports whether none of them was reached before.
func (t *pageTree) reach(id, more uint64) bool {
	for last := id + more; id <= last; id++ {
		if t.visited[id/64]&(1<<(id%64)) != 0 {
			return false
		}
		t.visited[id/64] |= 1 << (id % 64)
	}
	return true
}

// room is how many bytes lie behind the head of a page, those of the pages that continue it included.
func (t *pageTree) room(head []byte) int64 {
	return (int64(binary.LittleEndian.Uint32(head[12:]))+1)*t.size - pageHead
}

// beyond reports whether the pages that continue one lie out of the file.
func (t *pageTree) beyond(id uint64, head []byte) bool {
	return uint64(binary.LittleEndian.Uint32(head[12:])) >= t.high-id
}

// elements checks that keys and values lie in their page. Positions count from the element.
func elements(flags uint16, count int, body []byte, room int64) bool {
	for i := range count {
		e := body[i*pageElement:]
		at, size := int64(binary.LittleEndian.Uint32(e)), int64(binary.LittleEndian.Uint32(e[4:]))
		if flags == flagLeaf {
			at, size = size, int64(binary.LittleEndian.Uint32(e[8:]))+int64(binary.LittleEndian.Uint32(e[12:]))
		}
		if int64(i*pageElement)+at+size > room {
			return false
		}
	}
	return true
}

// meta reads the newer sound one of the two meta pages.
func (t *pageTree) meta() (root uint64, err error) {
	var newest uint64
	found := false
	for id := range int64(2) {
		var m [metaSize]byte
		if _, err := t.r.ReadAt(m[:], id*t.size+pageHead); err != nil {
			continue
		}
		h := fnv.New64a()
		h.Write(m[:56])
		txid := binary.LittleEndian.Uint64(m[48:])
		if binary.LittleEndian.Uint32(m[:]) != metaMagic || h.Sum64() != binary.LittleEndian.Uint64(m[56:]) || found && txid < newest {
			continue
		}
		found, newest = true, txid
		root, t.free, t.high = binary.LittleEndian.Uint64(m[16:]), binary.LittleEndian.Uint64(m[32:]), binary.LittleEndian.Uint64(m[40:])
	}
	if !found || t.high > maxPages {
		return 0, fmt.Errorf("%w: no sound meta page", ErrDamaged)
	}
	return root, nil
}

// maxPages bounds the memory of a check: 4 TiB of pages of 4 KiB.
const maxPages = 1 << 30

// bucket goes through the tree of one bucket, and of the buckets in it where there may be some: of the others' leaves only
// the heads are read.
func (t *pageTree) bucket(root uint64, level int, holds bool) error {
	todo := []uint64{root}
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		flags, count, body, err := t.page(id, holds)
		if err != nil {
			return err
		}
		if flags == flagBranch {
			for i := range count {
				todo = append(todo, binary.LittleEndian.Uint64(body[i*pageElement+8:]))
			}
			continue
		}
		switch {
		case holds:
			if err := t.leaf(id, count, body, level); err != nil {
				return err
			}
		case t.deep && anyBucket(count, body):
			return fmt.Errorf("%w: page %d holds a bucket where there is none", ErrDamaged, id)
		}
	}
	return nil
}

// page reads a page's head and its elements, those of a leaf only when leaves is set, once.
func (t *pageTree) page(id uint64, leaves bool) (flags uint16, count int, body []byte, err error) {
	fault := func(why string) (uint16, int, []byte, error) {
		return 0, 0, nil, fmt.Errorf("%w: page %d %s", ErrDamaged, id, why)
	}
	if id < 2 || id >= t.high {
		return fault("is not in the file")
	}
	var head [pageHead]byte
	if _, err := t.r.ReadAt(head[:], int64(id)*t.size); err != nil {
		return fault("cannot be read")
	}
	flags, count = binary.LittleEndian.Uint16(head[8:]), int(binary.LittleEndian.Uint16(head[10:]))
	if binary.LittleEndian.Uint64(head[:]) != id || flags != flagBranch && flags != flagLeaf {
		return fault("has another's head")
	}
	if flags == flagBranch && count == 0 {
		return fault("is a branch that leads nowhere")
	}
	if t.beyond(id, head[:]) {
		return fault("reaches out of the file")
	}
	if !t.reach(id, uint64(binary.LittleEndian.Uint32(head[12:]))) {
		return fault("is reached twice")
	}
	if flags == flagLeaf && !leaves && !t.deep {
		return flags, count, nil, nil
	}
	body = make([]byte, count*pageElement)
	if n, err := t.r.ReadAt(body, int64(id)*t.size+pageHead); n < len(body) {
		return fault(fmt.Sprint("is cut: ", err))
	}
	if t.deep && !elements(flags, count, body, t.room(head[:])) {
		return fault("points out of itself")
	}
	return flags, count, body, nil
}

// leaf follows the buckets that lie in a leaf.
func (t *pageTree) leaf(id uint64, count int, body []byte, level int) error {
	for i := range count {
		e := body[i*pageElement:]
		if binary.LittleEndian.Uint32(e)&leafBucket == 0 {
			continue
		}
		at := int64(id)*t.size + pageHead + int64(i*pageElement) + int64(binary.LittleEndian.Uint32(e[4:]))
		key := make([]byte, min(binary.LittleEndian.Uint32(e[8:]), uint32(len(bucketFormer)+1)))
		var root [8]byte
		_, err := t.r.ReadAt(key, at)
		if err == nil {
			_, err = t.r.ReadAt(root[:], at+int64(binary.LittleEndian.Uint32(e[8:])))
		}
		if err != nil {
			return fmt.Errorf("%w: bucket in page %d cannot be read", ErrDamaged, id)
		}
		if n := binary.LittleEndian.Uint64(root[:]); n != 0 { // 0: the bucket is so small that it lies in its place
			holds := level+1 < bucketLevels && (level > 0 || string(key) == bucketFormer)
			if err := t.bucket(n, level+1, holds); err != nil {
				return err
			}
		} else if t.deep {
			value := at + int64(binary.LittleEndian.Uint32(e[8:]))
			if err := t.inPlace(id, value+bucketHead, int64(binary.LittleEndian.Uint32(e[12:]))-bucketHead); err != nil {
				return err
			}
		}
	}
	return nil
}

// inPlace checks the page of a small bucket, which lies in the value of the page with that id. It holds no buckets.
func (t *pageTree) inPlace(id uint64, at, size int64) error {
	var head [pageHead]byte
	if _, err := t.r.ReadAt(head[:], at); err != nil || size < pageHead {
		return fmt.Errorf("%w: bucket in page %d cannot be read", ErrDamaged, id)
	}
	flags, count := binary.LittleEndian.Uint16(head[8:]), int(binary.LittleEndian.Uint16(head[10:]))
	body := make([]byte, count*pageElement)
	n, err := t.r.ReadAt(body, at+pageHead)
	if n < len(body) || flags != flagLeaf || anyBucket(count, body) || !elements(flags, count, body, size-pageHead) {
		return errors.Join(fmt.Errorf("%w: bucket in page %d is none", ErrDamaged, id), err)
	}
	return nil
}

// anyBucket reports whether one of a leaf's elements is a bucket.
func anyBucket(count int, body []byte) bool {
	for i := range count {
		if binary.LittleEndian.Uint32(body[i*pageElement:])&leafBucket != 0 {
			return true
		}
	}
	return false
}
