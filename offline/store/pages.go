package store

import (
	"encoding/binary"
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
	leafBucket  = 0x01
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
	visited []uint64 // bits
}

// checkPages goes through the tree of a bbolt file. Error: ErrDamaged.
func checkPages(r io.ReaderAt, pageSize int) error {
	t := &pageTree{r: r, size: int64(pageSize)}
	root, err := t.meta()
	if err != nil {
		return err
	}
	t.visited = make([]uint64, t.high/64+1)
	return t.bucket(root, 0, true)
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
		root, t.high = binary.LittleEndian.Uint64(m[16:]), binary.LittleEndian.Uint64(m[40:])
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
		if holds {
			if err := t.leaf(id, count, body, level); err != nil {
				return err
			}
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
	if t.visited[id/64]&(1<<(id%64)) != 0 {
		return fault("is reached twice")
	}
	t.visited[id/64] |= 1 << (id % 64)
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
	if flags == flagLeaf && !leaves {
		return flags, count, nil, nil
	}
	body = make([]byte, count*pageElement)
	if n, err := t.r.ReadAt(body, int64(id)*t.size+pageHead); n < len(body) {
		return fault(fmt.Sprint("is cut: ", err))
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
		}
	}
	return nil
}
