//! Directed graphs over dense indices, in compressed rows.

/// A directed graph. Arcs out of a node lie together, ascending, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Digraph {
    start: Vec<u32>,
    to: Vec<u32>,
}

impl Digraph {
    /// The graph with `nodes` nodes and the given arcs. Costs a counting sort.
    pub fn new(nodes: usize, arcs: &[(u32, u32)]) -> Digraph {
        let mut start = vec![0_u32; nodes + 1];
        for &(x, _) in arcs {
            start[x as usize + 1] += 1;
        }
        for i in 0..nodes {
            start[i + 1] += start[i];
        }
        let mut next = start.clone();
        let mut to = vec![0_u32; arcs.len()];
        for &(x, y) in arcs {
            to[next[x as usize] as usize] = y;
            next[x as usize] += 1;
        }
        Digraph { start, to }.without_repeats()
    }

    fn without_repeats(mut self) -> Digraph {
        let mut kept = 0;
        let mut from = 0;
        for x in 0..self.nodes() {
            let end = self.start[x + 1] as usize;
            self.to[from..end].sort_unstable();
            let first = kept;
            for i in from..end {
                if kept == first || self.to[kept - 1] != self.to[i] {
                    self.to[kept] = self.to[i];
                    kept += 1;
                }
            }
            from = end;
            self.start[x + 1] = kept as u32;
        }
        self.to.truncate(kept);
        self
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> usize {
        self.start.len().saturating_sub(1)
    }

    /// The heads of the arcs out of `x`, ascending.
    pub fn out(&self, x: usize) -> &[u32] {
        &self.to[self.start[x] as usize..self.start[x + 1] as usize]
    }

    /// Whether there is an arc from `x` to `y`.
    pub fn has(&self, x: usize, y: usize) -> bool {
        self.out(x).binary_search(&(y as u32)).is_ok()
    }

    /// All arcs.
    pub fn arcs(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        (0..self.nodes()).flat_map(|x| self.out(x).iter().map(move |&y| (x as u32, y)))
    }

    /// The graph with every arc turned round. One pass: taken in order of their tails, heads stay ascending.
    pub fn reversed(&self) -> Digraph {
        let mut start = vec![0_u32; self.nodes() + 1];
        for &y in &self.to {
            start[y as usize + 1] += 1;
        }
        for i in 0..self.nodes() {
            start[i + 1] += start[i];
        }
        let mut next = start.clone();
        let mut to = vec![0_u32; self.to.len()];
        for x in 0..self.nodes() {
            for &y in self.out(x) {
                to[next[y as usize] as usize] = x as u32;
                next[y as usize] += 1;
            }
        }
        Digraph { start, to }
    }

    /// The arcs of both graphs, which have the same nodes. One merge per node.
    pub fn union(&self, other: &Digraph) -> Digraph {
        let mut start = Vec::with_capacity(self.start.len());
        let mut to = Vec::with_capacity(self.to.len().max(other.to.len()));
        start.push(0);
        for x in 0..self.nodes() {
            let (mut left, mut right) = (self.out(x), other.out(x));
            while let (Some(&a), Some(&b)) = (left.first(), right.first()) {
                to.push(a.min(b));
                left = &left[usize::from(a <= b)..];
                right = &right[usize::from(b <= a)..];
            }
            to.extend_from_slice(left);
            to.extend_from_slice(right);
            start.push(to.len() as u32);
        }
        Digraph { start, to }
    }

    /// The arcs that are in both graphs, which have the same nodes. One merge per node.
    pub fn intersection(&self, other: &Digraph) -> Digraph {
        let mut start = Vec::with_capacity(self.start.len());
        let mut to = Vec::with_capacity(self.to.len().min(other.to.len()));
        start.push(0);
        for x in 0..self.nodes() {
            let (mut left, mut right) = (self.out(x), other.out(x));
            while let (Some(&a), Some(&b)) = (left.first(), right.first()) {
                if a == b {
                    to.push(a);
                }
                left = &left[usize::from(a <= b)..];
                right = &right[usize::from(b <= a)..];
            }
            start.push(to.len() as u32);
        }
        Digraph { start, to }
    }

    /// The graph with only the arcs that `keep` says yes to.
    pub fn filtered(&self, mut keep: impl FnMut(u32, u32) -> bool) -> Digraph {
        let mut start = Vec::with_capacity(self.start.len());
        let mut to = Vec::with_capacity(self.to.len());
        start.push(0);
        for x in 0..self.nodes() {
            to.extend(self.out(x).iter().copied().filter(|&y| keep(x as u32, y)));
            start.push(to.len() as u32);
        }
        Digraph { start, to }
    }

    /// The number of the strongly connected component of each node, and how many there are. No recursion.
    pub fn strong_components(&self) -> (Vec<u32>, usize) {
        let count = self.nodes();
        let mut tarjan = Tarjan {
            order: vec![0; count],
            low: vec![0; count],
            component: vec![UNSEEN; count],
            stack: Vec::new(),
            clock: 0,
            found: 0,
        };
        for root in 0..count {
            if tarjan.order[root] == 0 {
                tarjan.explore(self, root);
            }
        }
        (tarjan.component, tarjan.found as usize)
    }
}

struct Tarjan {
    order: Vec<u32>,
    low: Vec<u32>,
    component: Vec<u32>,
    stack: Vec<u32>,
    clock: u32,
    found: u32,
}

impl Tarjan {
    fn enter(&mut self, x: usize) {
        self.clock += 1;
        self.order[x] = self.clock;
        self.low[x] = self.clock;
        self.stack.push(x as u32);
    }

    fn explore(&mut self, graph: &Digraph, root: usize) {
        let mut path = vec![(root, 0_usize)];
        self.enter(root);
        while let Some((x, position)) = path.last_mut() {
            let x = *x;
            if let Some(&y) = graph.out(x).get(*position) {
                *position += 1;
                let y = y as usize;
                if self.order[y] == 0 {
                    self.enter(y);
                    path.push((y, 0));
                } else if self.component[y] == UNSEEN {
                    self.low[x] = self.low[x].min(self.order[y]);
                }
                continue;
            }
            path.pop();
            if let Some((parent, _)) = path.last() {
                self.low[*parent] = self.low[*parent].min(self.low[x]);
            }
            if self.low[x] == self.order[x] {
                while let Some(y) = self.stack.pop() {
                    self.component[y as usize] = self.found;
                    if y as usize == x {
                        break;
                    }
                }
                self.found += 1;
            }
        }
    }
}

const UNSEEN: u32 = u32::MAX;
