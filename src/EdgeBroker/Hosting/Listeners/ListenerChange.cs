using EdgeBroker.Core.Hosting;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Hosting.Listeners;

/// <summary>
/// Changes the listeners of a running broker: first everything that can fail - addresses are bound, files are read -, then what cannot. In between nobody
/// notices anything, but that where an address changes hands, the listener that goes has given it free for a moment.
/// </summary>
/// <param name="part">The listeners as they are.</param>
/// <param name="awaited">Those that are waited for; it is this change's turn, which ends with it.</param>
/// <param name="plan">What to do.</param>
/// <param name="lost">Told when a listener that gave its address free could not have it back.</param>
internal sealed class ListenerChange(ListenerPart part, AwaitedListeners awaited, ListenerPlan plan, Action<string, string> lost) : IPreparedChange
{
    private readonly List<IListener> _opened = [];
    private readonly List<IListener> _suspended = [];
    private readonly List<(IListenerChange Change, IListener Listener, ListenerSettings Settings)> _changes = [];
    private readonly List<(ListenerSettings Settings, ListenProblem Problem)> _missing = [];
    private bool _isApplied;
    private bool _isOver;

    /// <summary>Does what can fail.</summary>
    /// <returns>Why it cannot be done, in which case everything is as before; null: it can.</returns>
    public async Task<string?> PrepareAsync()
    {
        try
        {
            ListenProblem? problem = await ReadFilesAsync().ConfigureAwait(false) ?? await OpenAsync().ConfigureAwait(false);
            if (problem is not null) await DisposeAsync().ConfigureAwait(false);
            return problem?.Text;
        }
        catch
        {
            await DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask ApplyAsync(ChangeNotes notes)
    {
        _isApplied = true;
        part.ApplyLimits();
        foreach (IListener listener in _opened)
        {
            await listener.BeginAsync().ConfigureAwait(false);
            notes.Add($"{NameOf(listener)}: a new listener");
        }

        foreach ((IListenerChange change, IListener listener, ListenerSettings settings) in _changes) Change(change, listener, settings, notes);
        foreach (IListener listener in plan.Removed)
        {
            await listener.RemoveAsync().ConfigureAwait(false);
            notes.Add($"{NameOf(listener)}: removed, and its clients disconnected");
        }

        foreach (ListenerSettings given in awaited.Settings.Where(one => !plan.Added.Exists(added => added.IsSameListener(one))))
        {
            notes.Add($"{Printable.Escape(given.Name)}: not waited for any more");
        }

        foreach ((ListenerSettings settings, ListenProblem problem) in _missing)
        {
            notes.Add($"{Printable.Escape(settings.Name)}: not open yet, tried again each second: {Printable.Escape(problem.Text)}");
        }

        awaited.Replace(_missing);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_isOver) return;
        _isOver = true;
        if (!_isApplied) await UndoAsync().ConfigureAwait(false);
        awaited.Leave();
    }

    private async Task UndoAsync()
    {
        foreach (IListener opened in _opened) await opened.AbandonAsync().ConfigureAwait(false);
        foreach (IListener listener in _suspended) await ResumeAsync(listener).ConfigureAwait(false);
        foreach ((IListenerChange change, _, _) in _changes) change.Dispose();
    }

    private static string NameOf(IListener listener) => Printable.Escape(listener.Settings.Name);

    private static void Change(IListenerChange change, IListener listener, ListenerSettings settings, ChangeNotes notes)
    {
        bool isOther = !listener.Settings.IsSameAs(settings);
        if (listener.Settings.AllowAnonymous != settings.AllowAnonymous) notes.RequireReview();
        bool hasOtherCertificates = change.Apply();
        if (isOther) notes.Add($"{NameOf(listener)}: other settings");
        if (hasOtherCertificates) notes.Add($"{NameOf(listener)}: other certificate files, for new connections");
    }

    private async Task<ListenProblem?> ReadFilesAsync()
    {
        foreach ((IListener listener, ListenerSettings settings) in plan.Kept)
        {
            if (await ListenProblem.OfAsync(() => Read(listener, settings), settings.Address).ConfigureAwait(false) is { } problem) return problem;
        }

        return null;
    }

    private Task Read(IListener listener, ListenerSettings settings)
    {
        _changes.Add((listener.Prepare(settings), listener, settings));
        return Task.CompletedTask;
    }

    private async Task<ListenProblem?> OpenAsync()
    {
        var toOpen = new List<ListenerSettings>(plan.Added);
        if (await OpenAsync(toOpen).ConfigureAwait(false) is null) return null;
        // Perhaps one that goes is in the way.
        foreach (IListener listener in plan.Removed)
        {
            await listener.SuspendAsync().ConfigureAwait(false);
            _suspended.Add(listener);
        }

        return await OpenAsync(toOpen).ConfigureAwait(false);
    }

    /// <summary>Opens what is not open yet; what has succeeded leaves the list.</summary>
    private async Task<ListenProblem?> OpenAsync(List<ListenerSettings> toOpen)
    {
        ListenProblem? first = null;
        foreach (ListenerSettings settings in toOpen.ToArray())
        {
            ListenProblem? problem = await ListenProblem.OfAsync(() => OpenAsync(settings), settings.Address).ConfigureAwait(false);
            if (problem is null or { IsAddressMissing: true }) toOpen.Remove(settings);
            if (problem is { IsAddressMissing: true }) _missing.Add((settings, problem));
            else first ??= problem;
        }

        return first;
    }

    private async Task OpenAsync(ListenerSettings settings) => _opened.Add(await part.OpenAsync(settings).ConfigureAwait(false));

    private async Task ResumeAsync(IListener listener)
    {
        if (await ListenProblem.OfAsync(listener.ResumeAsync, listener.Settings.Name).ConfigureAwait(false) is { } problem)
        {
            lost(listener.Settings.Name, problem.Text);
        }
    }
}
