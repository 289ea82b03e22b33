// Each test loads the machine by itself, and some watch how soon things come.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
